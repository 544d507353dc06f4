"""Asks the person, through its MCP client, whether its agent may say more. It stands between a call and its tool.

A client of the handshake era is sent a request while the call waits. One of the 2026 era gets the question as the
call's result and calls again with the answer. Only clients that say they can are asked, and what is asked holds nothing
that a peer wrote.
"""

import asyncio
from typing import Any, Final

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types.version import is_version_at_least

from tunnel.app.budget import QUESTION_SECONDS, Budget
from tunnel.app.tools import Tools
from tunnel.app.waiting import NOBODY, Caller, alive

QUESTION_IN_RESULT: Final = "2026-07-28"
"""The first protocol version in which a question is a result."""

_KEY: Final = "allow_more"
_FIELD: Final = "allow"


async def ask_first(
    tools: Tools,
    context: ServerRequestContext[Any],
    params: types.CallToolRequestParams,
    caller: Caller = NOBODY,
) -> types.InputRequiredResult | None:
    """Ask the person before a say that the budget does not allow, if it can be asked; the question as a result, if any."""
    budget = tools.budget
    if params.name != "tunnel_say":
        return None
    if is_version_at_least(context.protocol_version, QUESTION_IN_RESULT):
        if params.request_state is not None:
            answered = (params.input_responses or {}).get(_KEY)
            budget.answer(params.request_state, allows=_is_yes(answered))
            return None
        if _can_ask(tools, context):
            return types.InputRequiredResult(
                input_requests={_KEY: types.ElicitRequest(params=_question(budget))}, request_state=budget.ask()
            )
        return None
    async with budget.asking:
        # By now another call may have asked.
        if _can_ask(tools, context):
            await _ask_and_wait(budget, context, caller)
    return None


async def _ask_and_wait(budget: Budget, context: ServerRequestContext[Any], caller: Caller) -> None:
    question, asked = budget.ask(), _question(budget)
    try:
        async with asyncio.timeout(QUESTION_SECONDS):
            asking = context.session.elicit_form(asked.message, asked.requested_schema, context.request_id)
            answered = await alive(asking, caller, lambda passed: f"Waiting for your person's answer, {passed} s.")
        budget.answer(question, allows=_is_yes(answered))
    # The client says that it cannot, or what it says is no answer, or the person is not there: it is left in peace.
    except (MCPError, ValueError, TimeoutError):
        budget.answer(question, allows=False)
    finally:
        budget.withdraw(question)


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
            f"Your agent has said {budget.said} messages through its tunnel since you last allowed it, which is the limit "
            f"you set (TUNNEL_BUDGET). May it say {budget.limit} more?"
        ),
        requested_schema={
            "type": "object",
            "properties": {
                _FIELD: {
                    "type": "boolean",
                    "title": f"Allow {budget.limit} more messages",
                    "description": "Without it, your agent can go on listening, and says nothing.",
                }
            },
            "required": [_FIELD],
        },
    )
