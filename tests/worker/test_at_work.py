"""A message that runs on long after its time limit is noticed; one that takes its time is not."""

from worker.at_work import OVERDUE_AFTER, AtWork


def look(at_work: AtWork, seconds: int) -> list[str]:
    """What is noticed in so many seconds."""
    return [why for _ in range(seconds) if (why := at_work.look())]


def test_what_never_ends_is_noticed() -> None:
    """By its actor's name, and not before Dramatiq has had the time to interrupt it."""
    at_work = AtWork()
    with at_work.on("send_mail", 420), at_work.on("apply_events", 60):
        assert look(at_work, 60 + OVERDUE_AFTER) == []
        (why,) = look(at_work, 1)
        assert why.startswith("apply_events runs on")


def test_what_has_ended_is_forgotten() -> None:
    """However it ended, and whatever else began meanwhile."""
    at_work = AtWork()
    with at_work.on("send_mail", 420):
        look(at_work, 60)
    assert look(at_work, 1000) == []
