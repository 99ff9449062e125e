"""What is wrong with the settings, said so that it can be put right without reading code."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong, missing or unknown setting, under its environment name."""

    name: str
    wrong: str
    cure: str
    example: str | None = None

    def __str__(self) -> str:
        lines = [f"{self.name} {self.wrong}", f"    {self.cure}"]
        if self.example is not None:
            lines.append(f"    for example: {self.name}={self.example}")
        return "\n".join(lines)


class SettingsError(Exception):
    """The process cannot start with these settings. Lists every problem; never shows a secret's value."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        count = "1 setting needs" if len(problems) == 1 else f"{len(problems)} settings need"
        super().__init__("\n\n".join([f"{count} attention:", *map(str, problems)]))
