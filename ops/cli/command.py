"""What all commands share: how they find the platform, how they fail, and with which exit status.

0: done, and nothing to report. 1: it has found something, or did not succeed with everything. 2: it could not.
"""

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any, Concatenate, NoReturn, ParamSpec

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from ops.cli.options import (
    CustomerUrl,
    Email,
    Home,
    Kafka,
    KafkaPrefix,
    NotifierUrl,
    OrderUrl,
    ProductUrl,
    StaffEmail,
)
from ops.errors import CannotDo
from ops.platform import Platform, Role, find_platform
from ops.rest import Rest, open_rest

FINDINGS, FAILED = 1, 2
"""Exit statuses: the command has found something, or it could not do what was asked for."""

P = ParamSpec("P")


@dataclass(frozen=True)
class Connection:
    """A platform that a command works on."""

    platform: Platform
    rest: Rest


def new_group(help_text: str, *, cls: type[TyperGroup] | None = None, add_completion: bool = False) -> typer.Typer:
    """A group of commands; the one at the top has the class ``OneLineErrors``."""
    group = typer.Typer(
        cls=cls,
        help=help_text,
        no_args_is_help=True,
        add_completion=add_completion,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    # Without a callback, typer makes a group of one command that command.
    group.callback()(lambda: None)
    return group


def on_platform(
    what: str,
    role: Role = "ops",
) -> Callable[[Callable[Concatenate[Connection, P], Coroutine[Any, Any, None]]], Callable[..., None]]:
    """Make a command of a coroutine function that takes a ``Connection`` and options of its own.

    The command gets the options that say where the platform is. ``what`` completes the sentence "cannot …" when it
    raises ``CannotDo``. ``role`` is that of the account that it logs in with.
    """

    def decorate(work: Callable[Concatenate[Connection, P], Coroutine[Any, Any, None]]) -> Callable[..., None]:
        @wraps(work)
        def command(**options: Any) -> None:
            addresses = {name: options.pop(name) for name in _OPTIONS[role]}
            try:
                platform = _platform(**addresses, role=role)
                asyncio.run(_connected(platform, work, options))
            except CannotDo as error:
                raise CannotDo(f"cannot {what}: {error}") from error

        own = list(signature(work, eval_str=True).parameters.values())[1:]
        shared = _OPTIONS[role].values()
        # Typer passes all options by name, and reads from the signature which ones there are.
        command.__signature__ = Signature(  # type: ignore[attr-defined]
            [one.replace(kind=Parameter.KEYWORD_ONLY) for one in (*own, *shared)]
        )
        return command

    return decorate


def _platform(
    customer_url: CustomerUrl = None,
    product_url: ProductUrl = None,
    order_url: OrderUrl = None,
    notifier_url: NotifierUrl = None,
    kafka: Kafka = None,
    kafka_prefix: KafkaPrefix = None,
    email: Email = None,
    home: Home = None,
    role: Role = "ops",
) -> Platform:
    given = {"customer": customer_url, "product": product_url, "order": order_url, "notifier": notifier_url}
    return find_platform({**given, "kafka": kafka, "kafka_prefix": kafka_prefix}, email, home, role)


def _options(role: Role) -> dict[str, Parameter]:
    """The options of every command that needs an account of this role."""
    options = {name: one for name, one in signature(_platform).parameters.items() if name != "role"}
    if role == "staff":
        options["email"] = options["email"].replace(annotation=StaffEmail)
    return options


_OPTIONS: Mapping[Role, dict[str, Parameter]] = {"ops": _options("ops"), "staff": _options("staff")}


async def _connected(platform: Platform, work: Callable[..., Coroutine[Any, Any, None]], options: Any) -> None:
    # What it logs about a broker that is away is in our own message.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    async with open_rest(platform) as rest:
        await work(Connection(platform, rest), **options)


class OneLineErrors(TyperGroup):
    """The whole program: a mistake of its user is one line on stderr, and the exit status 2."""

    def main(self, *args: Any, **options: Any) -> NoReturn:
        """Run the program, and exit."""
        try:
            status = super().main(*args, **{**options, "standalone_mode": False})
        except CannotDo as error:
            _fail(str(error))
        except TyperException as error:
            context = getattr(error, "ctx", None)
            _fail(error.format_message(), f" (see {context.command_path} --help)" if context else "")
        except typer.Abort:
            _fail("aborted")
        sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str, hint: str = "") -> NoReturn:
    line = " ".join(message.split()).rstrip(".")
    if line:  # without arguments, the help is all there is to say
        typer.echo(f"{line}{hint}", err=True)
    sys.exit(FAILED)
