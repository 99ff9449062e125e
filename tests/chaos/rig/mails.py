"""The checker's part on mails: does the outbox say what the mail server has seen, and was everybody told?"""

from __future__ import annotations

from emails.message import message_id
from tests.chaos.rig.access import statuses
from tests.chaos.rig.books import Books
from tests.chaos.rig.history import History, Mailed, Said, Struck


def wrong_mails(history: History, books: Books, domain: str) -> list[str]:
    """What counts as sent was accepted, and what arrived was decided and counts as sent or unknown."""
    decided = {message_id(mail.step, domain): mail for mail in books.mails}
    arrived = {each.mail for each in history.all(Mailed) if each.kept}
    confirmed = {each.mail for each in history.all(Mailed) if each.answer in ("accepted", "known")}
    wrong = [f"{key} arrived, but nobody had decided it" for key in sorted(arrived - decided.keys())]
    for key, mail in decided.items():
        if mail.status not in ("sent", "unknown", "suppressed"):
            wrong.append(f"{mail.step} is still {mail.status}")
        elif mail.status == "sent" and key not in confirmed:
            wrong.append(f"{mail.step} counts as sent, but no server has said so")
        elif mail.status == "suppressed" and key in arrived:
            wrong.append(f"{mail.step} counts as not sent, but arrived")
    return wrong


def unexplained(history: History, books: Books, domain: str) -> list[str]:
    """A mail is unknown if its server fell silent, or if it was in the hands of a process killed."""
    silent = {each.mail for each in history.all(Mailed) if each.answer == "silence"}
    unknown = [mail.step for mail in books.mails if mail.status == "unknown"]
    others = [step for step in unknown if message_id(step, domain) not in silent]
    kills = sum(each.kind == "mailer killed" for each in history.all(Struck))
    return [f"{step} is unknown for no reason" for step in others[kills:]]


def untold(history: History, books: Books) -> list[str]:
    """Whose payment has failed and is still open has a mail; whose payments all succeeded has none."""
    failed = {said.customer for said in history.all(Said) if said.type == "invoice.payment_failed"}
    told = {mail.customer for mail in books.mails if mail.to_customer and mail.status in ("sent", "unknown")}
    owing = {who for who, status in statuses(history).items() if status == "past_due"}
    return [f"{who} was told nothing" for who in sorted(owing - told)] + [
        f"{who} was bothered for nothing" for who in sorted(told) if who not in failed
    ]
