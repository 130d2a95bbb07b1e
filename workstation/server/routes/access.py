"""What the description of a protected operation says; the guard has let the request pass before it comes here."""

from typing import Annotated, Any, TypedDict

from fastapi import Header, Security
from fastapi.params import Depends
from fastapi.security import HTTPBearer

from workstation.server.problems import PROBLEMS

bearer = HTTPBearer(auto_error=False, description="The text of the file api_token in the home folder")


class Protected(TypedDict):
    dependencies: list[Depends]
    responses: dict[int | str, dict[str, Any]]


PROTECTED: Protected = {"dependencies": [Security(bearer)], "responses": PROBLEMS}
PLAIN_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": answer["description"],
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, answer in PROBLEMS.items()
}
"""The same for an operation that answers in plain text: its errors are JSON all the same."""

By = Annotated[
    str,
    Header(
        alias="Workstation-Client",
        description="Who asks, for the journal",
        pattern="^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,59}$",
        max_length=60,
    ),
]
NOBODY = "api"
