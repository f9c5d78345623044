"""An agent: the official SDK for Python, with the Tasks extension as its interface for extensions has it."""

import contextlib
from typing import Any, Literal

import anyio
import mcp_types as types
from mcp.client import Client
from mcp.client.extension import ClientExtension, ResultClaim
from mcp.client.stdio import StdioServerParameters
from pydantic import Field


class TaskParams(types.RequestParams):
    task_id: str = Field(alias="taskId")


class GetTask(types.Request[TaskParams, Literal["tasks/get"]]):
    method: Literal["tasks/get"] = "tasks/get"
    params: TaskParams
    name_param = "taskId"


class CancelTask(types.Request[TaskParams, Literal["tasks/cancel"]]):
    method: Literal["tasks/cancel"] = "tasks/cancel"
    params: TaskParams
    name_param = "taskId"


class Task(types.Result):
    result_type: Literal["complete"] = Field(alias="resultType")
    task_id: str = Field(alias="taskId")
    status: Literal["working", "input_required", "completed", "failed", "cancelled"]
    status_message: str = Field(alias="statusMessage")
    created_at: str = Field(alias="createdAt")
    last_updated_at: str = Field(alias="lastUpdatedAt")
    ttl_ms: int | None = Field(alias="ttlMs")
    poll_interval_ms: int = Field(alias="pollIntervalMs")
    result: dict[str, Any] | None = None


class NewTask(Task):
    result_type: Literal["task"] = Field(alias="resultType")


def named(kind, task_id):
    return kind(params=TaskParams.model_validate({"taskId": task_id}))


class Tasks(ClientExtension):
    """Polls each task to its end; `seen` has the statuses on the way."""

    identifier = "io.modelcontextprotocol/tasks"

    def __init__(self):
        self.ids, self.seen = [], []

    def claims(self):
        return [ResultClaim(result_type="task", model=NewTask, resolve=self.resolve)]

    async def resolve(self, created, context):
        self.ids.append(created.task_id)
        while True:
            task = await context.session.send_request(named(GetTask, created.task_id), Task)
            self.seen.append(task.status)
            if task.status == "completed":
                return types.CallToolResult.model_validate(task.result)
            if task.status != "working":
                raise AssertionError(f"the task is {task.status}")
            await anyio.sleep(task.poll_interval_ms / 10_000)  # the sandbox is fast


class Person:
    """Answers questions; `asked` has their words."""

    def __init__(self, action="accept", confirm=True):
        self.action, self.confirm, self.asked = action, confirm, []

    async def __call__(self, _context, params):
        self.asked.append(params.message)
        return types.ElicitResult(action=self.action,
                                  content={"confirm": self.confirm} if self.action == "accept" else None)


@contextlib.asynccontextmanager
async def agent(server, person=None, mode="auto", tasks=None):
    """`server` is a command as a list, or a URL."""
    if not isinstance(server, str):
        server = StdioServerParameters(command=str(server[0]), args=[str(each) for each in server[1:]])
    async with Client(server, mode=mode, elicitation_callback=person,
                      extensions=[tasks] if tasks else None) as client:
        yield client


def job(result):
    """What a tool has told of a job."""
    assert not result.is_error, result
    return result.structured_content["job"]


def problem(result):
    assert result.is_error, result
    return result.structured_content["error"]
