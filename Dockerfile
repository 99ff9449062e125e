# One image for every process of the service: `docker run dunning-worker receiver`, `worker`, `scheduler`...
# Build and base image use the same Python; neither needs a compiler, since every pinned package has a wheel.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
RUN python -m venv --without-pip /opt/dunning

# Dependencies are a layer of their own, built anew only when their versions change. With hashes they are what
# they were on the day of the lock, or the build fails.
COPY requirements.lock ./
RUN pip --python /opt/dunning/bin/python install --require-hashes --only-binary :all: --requirement requirements.lock

# Built with the setuptools of the lock, which the service itself has no use for.
COPY . .
RUN pip --python /opt/dunning/bin/python install --no-deps --no-build-isolation . \
    && pip --python /opt/dunning/bin/python uninstall --yes setuptools \
    && pip --python /opt/dunning/bin/python check \
    && /opt/dunning/bin/dunning --version

FROM python:${PYTHON}-slim
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin dunning
COPY --from=build /opt/dunning /opt/dunning
# In a container the servers must listen beyond loopback; who may reach them is decided outside.
ENV PATH=/opt/dunning/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DUNNING_RECEIVER_HOST=0.0.0.0 \
    DUNNING_API_HOST=0.0.0.0 \
    DUNNING_PORTAL_HOST=0.0.0.0 \
    DUNNING_METRICS_HOST=0.0.0.0 \
    DUNNING_LOG_FORMAT=json
WORKDIR /tmp
USER 10001:10001
ENTRYPOINT ["dunning"]
CMD ["--help"]
