"""docs/settings.md and .env.example say what the code does."""

from pathlib import Path

import pytest
from dotenv import dotenv_values

from settings import SettingsError
from settings.docs import GROUPS, READERS, ROOT, compose, env_example, markdown
from settings.field import Settings, dispensable_with
from settings.loading import fields_by_name, known_names, load
from settings.processes import PROCESSES, ToolSettings

CURE = "run `python -m settings.docs`"


def test_the_written_files_are_current() -> None:
    """Whoever changes a setting writes the files anew."""
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == markdown(), CURE
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == env_example(), CURE
    composed = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert composed == compose(composed), CURE


def test_every_setting_is_explained() -> None:
    """Each setting stands in both files, in one group, with the processes that read it."""
    grouped = {name for group in GROUPS.values() for name in fields_by_name(group)}
    assert grouped == known_names()
    assert set(READERS.values()) == set(PROCESSES)
    for name in known_names():
        assert markdown().count(f"| `{name}` |") == 1
        assert sum(line.lstrip("#").startswith(f"{name}=") for line in env_example().splitlines()) == 1


@pytest.mark.parametrize("process", PROCESSES)
def test_a_copied_example_lacks_only_what_is_required(process: type[Settings], tmp_path: Path) -> None:
    """.env.example parses, knows no wrong name, and leaves every required value to be filled in."""
    copy = tmp_path / ".env"
    copy.write_text(env_example(), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(process, env={}, env_file=copy)
    optional = issubclass(process, ToolSettings)  # commands leave out what they are not told of
    required = {
        name
        for name, field in fields_by_name(process).items()
        if field.is_required() or (dispensable_with(field) and not optional)
    }
    required |= {problem.name for problem in process.lacking({})}
    assert {problem.name for problem in caught.value.problems} == required


def test_the_examples_and_defaults_are_valid(tmp_path: Path) -> None:
    """With each line's comment sign taken away and each gap filled by its example, every process starts."""
    examples = {}
    for process in PROCESSES:
        for name, field in fields_by_name(process).items():
            assert field.examples, name
            examples[name] = str(field.examples[0])
    for process in PROCESSES:
        assert load(process, env=examples, env_file=None)
    uncommented = tmp_path / ".env"
    uncommented.write_text(env_example().replace("\n#", "\n"), encoding="utf-8")
    assert known_names() <= dotenv_values(uncommented, interpolate=False).keys()
