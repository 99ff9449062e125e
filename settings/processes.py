"""One settings class per process: each asks for what it uses and nothing else."""

from collections.abc import Container, Sequence
from typing import Annotated

from pydantic import Field

from settings.breaker import Breaker
from settings.broker import Broker, PossibleBroker
from settings.checks import Address
from settings.connections import Database, Mode, Smtp
from settings.errors import Problem
from settings.field import Settings, setting
from settings.messages import Brand, Display, Mail, Times
from settings.metrics import Metrics
from settings.policy import Policy
from settings.portal import Links, LinkSecrets, Origin, PortalServer
from settings.rehearsal import Rehearsal
from settings.retention import Retention
from settings.serving import ApiServer, Logs, ReceiverServer, SchedulerProcess, WorkerProcess
from settings.sessions import Sessions
from settings.sources import Sources
from settings.systems import nobody_sends, with_systems
from settings.team import Team
from settings.traces import Traces
from settings.webhooks import WebhookEndpoints, WebhookRules

# Pydantic takes the fields of the last base first, and error messages follow: connections stand last.
# Those of billing systems follow all others.


@with_systems("receiver")
class ReceiverSettings(Logs, Traces, Metrics, ReceiverServer, Mode, Broker, Database):
    """`dunning receiver`"""

    @classmethod
    def lacking(cls, given: Container[str]) -> Sequence[Problem]:
        return nobody_sends(given)


@with_systems("worker")
class WorkerSettings(
    Logs,
    Traces,
    Metrics,
    WorkerProcess,
    WebhookEndpoints,
    WebhookRules,
    Sources,
    Rehearsal,
    Breaker,
    Policy,
    Team,
    Links,
    Display,
    Times,
    Brand,
    Mail,
    Smtp,
    Broker,
    Sessions,
    Database,
):
    """`dunning worker`"""


class SchedulerSettings(Logs, Metrics, SchedulerProcess, Retention, Breaker, Broker, Sessions, Database):
    """`dunning scheduler`"""


class ApiSettings(Logs, Metrics, ApiServer, Policy, Links, Times, Mode, Sessions, Database):
    """`dunning api`"""


@with_systems("portal")
class PortalSettings(
    Logs, Metrics, PortalServer, Policy, Links, Display, Times, Brand, Broker, Sessions, Database
):
    """`dunning portal`"""

    portal_url: Origin = setting(
        "DUNNING_PORTAL_URL",
        "The public address of this page, on your own domain.",
        example="https://pay.acme.example",
        cure="Give an https:// address without a path.",
    )
    link_secrets: LinkSecrets = setting(
        "DUNNING_LINK_SECRETS",
        "What the links to this page are signed with, with commas between them; the same as the workers'.",
        example="test-secret-0123456789abcdef0123456789abcdef",
        cure="Give secrets of 32 characters or more, such as `openssl rand -hex 32` prints.",
    )


class ToolSettings(Logs, WebhookRules, Rehearsal, Breaker, Policy, Links, Times, PossibleBroker, Database):
    """`dunning migrate`, `status`, `access`, `case`, `explain`, `keys` and so on: they need a database."""


@with_systems("import")
class ImportSettings(Logs, Policy, Links, Times, Mode, Database):
    """`dunning import`: reads a billing system, writes the database, sends nothing."""


class PolicySettings(Policy, Times):
    """`dunning policy simulate`: the rules alone, nothing that stores or sends. Nothing is required."""


class PreviewSettings(Brand, Times):
    """`dunning emails`: a brand where one is set and a sample where not. Nothing is required."""

    brand_name: Annotated[str, Field(min_length=1, max_length=80)] = setting(
        "DUNNING_BRAND_NAME", "As for the worker.", default="Northwind", example="Acme"
    )
    brand_support_email: Address = setting(
        "DUNNING_BRAND_SUPPORT_EMAIL",
        "As for the worker.",
        default="help@northwind.example",
        example="support@acme.example",
    )


PROCESSES: tuple[type[Settings], ...] = (
    ReceiverSettings,
    WorkerSettings,
    SchedulerSettings,
    ApiSettings,
    PortalSettings,
    ToolSettings,
    ImportSettings,
)
