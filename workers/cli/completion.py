"""`seatline completion SHELL`: what to source so that Tab completes commands and options."""

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script; for example: eval "$(seatline completion bash)"."""
    found = get_completion_class(shell)
    if found is None:
        raise click.ClickException(f"no completion for {shell}")
    script = found(ctx.find_root().command, {}, "seatline", "_SEATLINE_COMPLETE").source()
    click.echo(script)
