"""A rule that is not asked again would have said the same; two lives that share a part live it alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from dunning.access import Level
from dunning.account import Account, same_but_for_charges
from dunning.case import settle
from dunning.comparison import Comparison, changes
from dunning.fold import empty, fold
from dunning.hindsight import Hindsight
from dunning.plan import CLOSED, RUNNING, STOPPED, Outlook, plan
from dunning.policy import Policy
from dunning.receipts import with_access_taken
from dunning.relevance import OF_THE_END
from dunning.replay import in_time, replay
from dunning.rules.asking import ask
from dunning.rules.context import Context
from dunning.rules.rule import CHARGES, touched_by
from dunning.rules.terms import terms
from dunning.segments import PolicySource
from dunning.steps import FINAL_WARNING, LAST_CALL, Effect, Kind, Step
from dunning.taking import learned, take_due
from tests.dunning.deeds import SAYINGS, Action, act, instruction
from tests.dunning.life import ANSWERS
from tests.dunning.stories import Setting, Story
from tests.dunning.strategies import courses, deeds, examples, policies, sayings, settings_of

seeds = st.integers(0, 2**32)
# From one look to the next; None: at the next step's own time.
gaps = st.sampled_from([None, None, None, 0.0, 0.01, 0.3, 1.0, 4.0])
lives = {"setting": settings_of, "policy": policies, "course": courses(deeds, sayings), "seed": seeds}


def lived(
    setting: Setting, policy: Policy, course: list[Action], seed: int
) -> tuple[Account, dict[str, Effect], datetime]:
    """What is known of somebody in the end, what was done, some of it in vain, and when that is."""
    story, random = Story(setting), Random(seed)  # noqa: S311  # disorder, not a secret
    account, history = empty("stripe", story.customer.id), dict[str, Effect]()
    for action in course:
        if action[0] not in SAYINGS:
            act(story, action)
        elif said := instruction(account, story.now, action):
            account = replace(account, instructions=(*account.instructions, said))
        heard = [fact for told in story.tell() for fact in told]
        account = settle(fold(account, *heard), policy)
        moment = take_due(account, history, policy, story.now, lambda *_: random.random() < 0.8)
        account = moment.account
        for step in moment.taken:
            status = random.choice(ANSWERS)
            accepted_at = story.now if status == "sent" else None
            history[step.key] = replace(history[step.key], status=status, accepted_at=accepted_at)
    return account, history, story.now


@examples(40)
@given(**lives, ahead=st.lists(gaps, min_size=5, max_size=25), accepted=st.booleans())
def test_an_outlook_that_lasts_says_what_a_fresh_one_says(
    setting: Setting,
    policy: Policy,
    course: list[Action],
    seed: int,
    ahead: list[float | None],
    accepted: bool,
) -> None:
    """At any later moment, after any steps: every step and every reason, in order, and the access."""
    account, history, now = lived(setting, policy, course, seed)
    outlook = Outlook(account, history, policy)
    for gap in ahead:
        found = outlook.look(now).plan(now)
        assert found == plan(account, history, policy, now)
        if step := next(iter(found.due(now)), None):
            effect = _effect(step, now, accepted=accepted)
            history[step.key] = effect
            if step.kind is Kind.ACCESS:
                account = with_access_taken(account, step, now, found.access.level)
                outlook.taken(effect, account)
            else:
                outlook.done(effect)
        elif gap is None:
            now = next((each.due_at for each in found.steps), now)
        else:
            now += timedelta(days=gap)


@examples(40)
@given(**lives, accepted=st.booleans())
def test_a_rule_reads_what_it_says_it_reads(
    setting: Setting, policy: Policy, course: list[Action], seed: int, accepted: bool
) -> None:
    """Whatever else is done now, its answer stays, but for a step of its own that is over."""
    account, history, now = lived(setting, policy, course, seed)
    for case in account.cases.values():
        about = terms(account, case, policy)
        for step in _imaginable(account, policy, now):
            if step.key in history:
                continue
            after, then = history | {step.key: _effect(step, now, accepted=accepted)}, about
            if step.kind is Kind.ACCESS:
                taken = with_access_taken(account, step, now, Level.WARNED)
                then = terms(taken, taken.cases[case.invoice], policy)
            for rule in {*CLOSED, *STOPPED, *RUNNING}:
                if not rule.minds(touched_by(after[step.key], Context(about, history, now))):
                    was, will = ask(rule, Context(about, history, now)), ask(rule, Context(then, after, now))
                    assert will.steps == [each for each in was.steps if each.key != step.key]
                    assert will.withheld == [each for each in was.withheld if each.key != step.key]


def _imaginable(account: Account, policy: Policy, now: datetime) -> Iterator[Step]:
    """Steps that might be taken, whether or not the policy calls for them now."""
    for case in account.cases.values():
        ref = case.invoice
        for _, key in terms(account, case, policy).warnings:
            yield Step(Kind.MAIL, key, FINAL_WARNING, ref, now, "")
        for key, name in (
            (f"payment_failed:{ref}:1", "payment_failed"),
            (f"first_payment:{ref}:1", "first_payment"),
            (f"access_ended:{ref}", "access_ended"),
            (f"recovered:{ref}", "payment_recovered"),
        ):
            yield Step(Kind.MAIL, key, name, ref, now, "")
        for name in ("attempts", LAST_CALL, "high_value", "reminder:1"):
            yield Step(Kind.TEAM, f"escalation:{ref}:{name}", name, ref, now, "")
        yield Step(Kind.RETRY, f"retry:{ref}:1", "retry", ref, now, "")
        yield Step(Kind.END, f"end:{ref}:cancel", "cancel", ref, now, "")
        yield Step(Kind.ACCESS, f"restriction:{ref}", Level.LIMITED.value, ref, now, "")
        yield Step(Kind.ACCESS, f"access:{ref}:revoked", Level.REVOKED.value, ref, now, "")


@examples(40)
@given(**lives)
def test_a_charge_more_concerns_those_who_count_them(
    setting: Setting, policy: Policy, course: list[Action], seed: int
) -> None:
    """Where it changes neither why the payment fails nor when access ends, any other rule says the same."""
    known, _, _ = lived(setting, policy, course, seed)
    seen = [(at, settle(each, policy)) for at, each in Hindsight(known).news]
    for (_, before), (now, after) in pairwise(seen):
        for ref, case in before.cases.items() if same_but_for_charges(before, after) else ():
            was, will = terms(before, case, policy), terms(after, after.cases[ref], policy)
            for rule in {*CLOSED, *STOPPED, *RUNNING} if was.hold_for(will) else ():
                if CHARGES not in rule.reads:
                    assert ask(rule, Context(was, {}, now)) == ask(rule, Context(will, {}, now))


@examples(40)
@given(**lives)
def test_a_replay_is_what_asking_every_rule_at_every_moment_gives(
    setting: Setting, policy: Policy, course: list[Action], seed: int
) -> None:
    """Whatever is remembered from one moment to the next."""
    known, _, _ = lived(setting, policy, course, seed)
    assert list(replay(known, policy)) == _asking_always(known, policy)


@examples(40)
@given(**lives, drawn=policies)
def test_a_comparison_is_what_two_whole_lives_give(
    setting: Setting, policy: Policy, course: list[Action], seed: int, drawn: Policy
) -> None:
    """Where the policies differ in the end of access alone, so that what comes before it is lived once."""
    known, _, _ = lived(setting, policy, course, seed)
    other = policy.model_copy(update={name: getattr(drawn, name) for name in OF_THE_END})
    both = changes(_asking_always(known, policy), _asking_always(known, other))
    assert Comparison(policy, other).of(known).changes == both


def _asking_always(known: Account, policies: PolicySource) -> list[Step]:
    """A replay with a plan of its own before each step and at each moment."""
    taken: list[Step] = []
    news = list(Hindsight(known).news)
    if not news:
        return taken
    now, first = news.pop(0)
    account, history = settle(first, policies), dict[str, Effect]()
    while True:
        found = plan(account, history, policies, now)
        step = next((each for each in found.steps if in_time(account, each)), None)
        if step and step.due_at <= now:
            if step.kind is Kind.ACCESS:
                account = with_access_taken(account, step, now, found.access.level)
            history[step.key] = _effect(step, now, accepted=True)
            taken.append(step.moved(now, min(step.wanted_at or step.due_at, step.due_at)))
        elif news and (step is None or news[0][0] <= step.due_at):
            now, later = news.pop(0)
            account = settle(learned(later, account), policies)
        elif step:
            now = step.due_at
        else:
            return taken


def _effect(step: Step, now: datetime, *, accepted: bool) -> Effect:
    status, accepted_at = ("sent", now) if accepted else ("pending", None)
    return Effect(step.key, step.kind, step.name, step.case, status, now, accepted_at)
