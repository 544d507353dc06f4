"""Asks the person, through its MCP client, whether its agent may say more. It stands between a call and its tool.

A client of the handshake era is sent a request while the call waits. One of the 2026 era gets the question as the
call's result and calls again with the answer. Only clients that say they can are asked, only for something that could be said,
and what is asked holds nothing that a peer wrote. The SDK's own way, `Resolve`, takes one answer as often as it is sent.
"""

import asyncio
from contextlib import suppress
from typing import Any, Final

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types.version import is_version_at_least

from tunnel.app import arguments, results
from tunnel.app.budget import Budget, messages
from tunnel.app.tools import Tools
from tunnel.app.waiting import NOBODY, Caller, alive
from tunnel.spec.v1.constants import TEXT_BYTES

QUESTION_IN_RESULT: Final = "2026-07-28"
"""The first protocol version in which a question is a result."""

_KEY: Final = "allow_more"
_FIELD: Final = "allow"
_NEVER_ASKED: Final = "This requestState is of no question that this server has asked, so nothing was said. Call the tool again without it."


async def ask_first(
    tools: Tools,
    context: ServerRequestContext[Any],
    params: types.CallToolRequestParams,
    caller: Caller = NOBODY,
) -> types.InputRequiredResult | None:
    """Ask the person before a say that the budget does not allow, if it can be asked; the question as a result, if any.

    Raises:
        MCPError: what the client answers is no question of ours.
    """
    budget = tools.budget
    if params.name != "tunnel_say":
        return None
    if is_version_at_least(context.protocol_version, QUESTION_IN_RESULT):
        if params.request_state is not None:
            if not budget.was_asked(params.request_state):
                raise MCPError(types.INVALID_PARAMS, _NEVER_ASKED)
            answered = (params.input_responses or {}).get(_KEY)
            budget.answer(params.request_state, allows=_is_yes(answered))
            return None
        if _can_ask(tools, context) and _could_be_said(params):
            return types.InputRequiredResult(
                input_requests={_KEY: types.ElicitRequest(params=_question(budget))}, request_state=budget.ask()
            )
        return None
    if _can_ask(tools, context) and _could_be_said(params):
        asking = _ask_in_turn(tools, context, tools.answer_seconds(caller))
        await alive(asking, caller, lambda passed: f"Waiting for your person's answer, {passed} s.")
    return None


async def _ask_in_turn(tools: Tools, context: ServerRequestContext[Any], seconds: float) -> None:
    """Ask, or wait for the answer to another call's question; no longer than this, or than it matters."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds) as waiting:
            watching = asyncio.get_running_loop().create_task(_end_when_pointless(tools, waiting))
            try:
                async with tools.budget.asking:
                    # By now another call may have asked.
                    if _can_ask(tools, context):
                        await _ask_and_wait(tools, context)
            finally:
                watching.cancel()


async def _end_when_pointless(tools: Tools, waiting: asyncio.Timeout) -> None:
    """The person has stepped in by another way, or the tunnel has ended: nobody needs to be asked any more."""
    while tools.budget.may_ask and tools.can_say:
        await tools.changed()
    waiting.reschedule(asyncio.get_running_loop().time())


async def _ask_and_wait(tools: Tools, context: ServerRequestContext[Any]) -> None:
    budget = tools.budget
    question, asked = budget.ask(), _question(budget)
    try:
        answered = await context.session.elicit_form(asked.message, asked.requested_schema, context.request_id)
        budget.answer(question, allows=_is_yes(answered))
    except (MCPError, ValueError):
        pass  # The client says that it cannot, or what it says is no answer.
    finally:
        # Also when the person is not there in time, or the client cuts the call: it is left in peace for a while.
        if budget.may_ask and tools.can_say:
            budget.give_up(question)
        else:
            budget.withdraw(question)


def _could_be_said(params: types.CallToolRequestParams) -> bool:
    """Whether nothing but the budget stands against it: nobody is asked for what is refused anyway."""
    try:
        text = arguments.read(params.arguments or {}, results.SayArguments).text
        arguments.whole_text("text", text, TEXT_BYTES)
    except arguments.BadArgumentError:
        return False
    return True


def _can_ask(tools: Tools, context: ServerRequestContext[Any]) -> bool:
    declared = context.session.client_capabilities
    elicitation = declared.elicitation if declared else None
    # Without a mode it is the form: there was no other once.
    has_form = elicitation is not None and (elicitation.form is not None or elicitation.url is None)
    return has_form and tools.budget.may_ask and tools.can_say


def _is_yes(answer: object) -> bool:
    """Whether the person has chosen to allow it: sending the form off as it came is not enough."""
    return (
        isinstance(answer, types.ElicitResult)
        and answer.action == "accept"
        and answer.content is not None
        and answer.content.get(_FIELD) is True
    )


def _question(budget: Budget) -> types.ElicitRequestFormParams:
    return types.ElicitRequestFormParams(
        message=(
            f"Your agent has said {messages(budget.said)} through its tunnel since you last allowed it, which is the limit "
            f"you set (TUNNEL_BUDGET). May it say {budget.limit} more?"
        ),
        requested_schema={
            "type": "object",
            "properties": {
                _FIELD: {
                    "type": "boolean",
                    "title": f"Allow {messages(budget.limit, ' more')}",
                    "description": "Without it, your agent can go on listening, and says nothing.",
                }
            },
            "required": [_FIELD],
        },
    )
