"""`dunning emails`: look at the mails, and check templates of your own."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.output import CommandError, Json, console, print_json
from cli.overrides import environment
from emails.brand import Brand
from emails.check import check_templates
from emails.faults import TemplateFaultsError
from emails.preview import write_gallery
from emails.samples import BRAND, samples
from emails.translations import language_of, languages
from settings import PreviewSettings, load
from worker.brand import brand

OUT = Path(".dunning/preview")

app = typer.Typer(no_args_is_help=True, add_completion=False)

Templates = Annotated[
    Path | None, typer.Option(help="Your own templates, instead of DUNNING_EMAIL_TEMPLATES.", metavar="DIR")
]


@app.callback()
def root() -> None:
    """Look at the mails customers get, and check templates of your own. Needs no settings and no servers."""


@app.command()
def preview(
    out: Annotated[Path, typer.Option(help="Where the pages go.", metavar="DIR")] = OUT,
    language: Annotated[
        list[str] | None,
        typer.Option(help="Only this one, as en, de-AT or pt-BR; give it several times.", metavar="TAG"),
    ] = None,
    templates: Templates = None,
    json: Json = False,
) -> None:
    """Write a gallery of every mail, for every reason of a failed payment, in every language.

    In your brand where DUNNING_BRAND_* are set, in a sample brand where not.

    \b
    Examples:
      dunning emails preview                             all, in .dunning/preview
      dunning emails preview --language ja --out ./ja    one language, elsewhere
      dunning emails preview --templates ./templates     with your own templates
    """
    from rich.progress import Progress

    settings = _settings(templates)
    locales = _locales(language)
    if settings.email_templates:
        _check(settings)
    written = 0
    with Progress(
        console=console(sys.stderr), transient=True, disable=json or not sys.stderr.isatty()
    ) as bar:
        task = bar.add_task("Writing mails", total=None)

        def show(done: int, total: int) -> None:
            nonlocal written
            written = done
            bar.update(task, completed=done, total=total)

        try:
            index = write_gallery(
                out,
                brand=_brand(settings),
                locales=locales,
                timezone=settings.timezone,
                templates=settings.email_templates,
                progress=show,
            )
        except OSError as error:
            raise CommandError(f"The pages cannot be written: {error}", "Give another --out.") from error
    whose = settings.brand_name
    if json:
        print_json({"index": str(index), "languages": locales, "mails": written, "brand": whose})
        return
    typer.echo(f"{written} mails in {', '.join(locales)}, as {whose} would send them:")
    typer.echo(index.resolve().as_uri())


@app.command()
def check(templates: Templates = None, json: Json = False) -> None:
    """Write every mail in every language with your templates, and name each mistake with file and line.

    Exit code 1 when there is one. The worker does the same when it starts.

    \b
    Examples:
      dunning emails check                           DUNNING_EMAIL_TEMPLATES
      dunning emails check --templates ./templates   before they are in force
    """
    settings = _settings(templates)
    folder = settings.email_templates
    if folder is None:
        raise CommandError("There are no templates of your own to check.", "Give --templates.")
    try:
        check_templates(folder, _brand(settings))
    except TemplateFaultsError as error:
        if not json:
            raise _failed(error) from error
        print_json({"templates": str(folder), "faults": error.faults})
        raise typer.Exit(1) from error
    if json:
        print_json({"templates": str(folder), "faults": []})
        return
    count = sum(1 for _ in samples())
    typer.echo(f"The templates in {folder} are right: {count} mails in {len(languages())} languages.")


def _settings(templates: Path | None) -> PreviewSettings:
    return load(PreviewSettings, env=environment(DUNNING_EMAIL_TEMPLATES=templates))


def _brand(settings: PreviewSettings) -> Brand:
    if not settings.model_fields_set & {"brand_name", "brand_support_email"}:
        return BRAND
    return brand(settings)


def _locales(wanted: list[str] | None) -> list[str]:
    for tag in wanted or ():
        if language_of(tag) is None:
            raise typer.BadParameter(f"{tag} is not one of {', '.join(languages())}", param_hint="--language")
    return wanted or list(languages())


def _check(settings: PreviewSettings) -> None:
    try:
        check_templates(settings.email_templates or Path(), _brand(settings))
    except TemplateFaultsError as error:
        raise _failed(error) from error


def _failed(error: TemplateFaultsError) -> CommandError:
    count = len(error.faults)
    mistakes = "a mistake" if count == 1 else f"{count} mistakes"
    return CommandError(f"There {'is' if count == 1 else 'are'} {mistakes} in the templates.\n\n{error}")
