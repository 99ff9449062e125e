"""The tutorial handler: `stripe.Webhook.construct_event`, one ORM object, one commit per event.

Starlette where the tutorials have FastAPI, which is Starlette with more on top: a peer at its best. For the
same reason it is asynchronous, has a pool as large as its load, and stores the body as it is.
"""

import os
from datetime import datetime

import stripe
from sqlalchemy import DateTime, Text, func
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from benchmarks.peers.serving import serve


class Base(DeclarativeBase):
    """The peer's tables."""


class WebhookEvent(Base):
    """One event."""

    __tablename__ = "webhook_events"
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    type: Mapped[str] = mapped_column(Text)
    payload: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


secret = os.environ["STRIPE_WEBHOOK_SECRETS"]
engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=20, max_overflow=10)
sessions = async_sessionmaker(engine, expire_on_commit=False)


async def webhook(request: Request) -> Response:
    """Verify, store, answer."""
    payload = await request.body()
    try:
        event = stripe.Webhook.construct_event(payload, request.headers["stripe-signature"], secret)
    except (ValueError, stripe.SignatureVerificationError):
        return PlainTextResponse("invalid", 400)
    try:
        async with sessions.begin() as session:
            session.add(WebhookEvent(id=event.id, type=event.type, payload=payload.decode()))
    except IntegrityError:
        return PlainTextResponse("known already")
    return PlainTextResponse("ok")


async def health(_: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/webhooks/stripe", webhook, methods=["POST"]), Route("/healthz", health)])

if __name__ == "__main__":
    serve(app)
