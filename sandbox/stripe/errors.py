"""Stripe's error answers."""

from typing import Any


class ApiError(Exception):
    """A refused request; `status` is the HTTP status, `error` the object in the answer's `error`."""

    def __init__(self, status: int, error: dict[str, Any]) -> None:
        super().__init__(error.get("message", error["type"]))
        self.status = status
        self.error = error

    @classmethod
    def invalid(
        cls, message: str, *, code: str | None = None, param: str | None = None, status: int = 400
    ) -> "ApiError":
        """An `invalid_request_error`."""
        error: dict[str, Any] = {"message": message, "type": "invalid_request_error"}
        if code is not None:
            error["code"] = code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
        if param is not None:
            error["param"] = param
        return cls(status, error)

    @classmethod
    def missing(cls, message: str, *, param: str = "id") -> "ApiError":
        """404: the id is unknown."""
        return cls.invalid(message, code="resource_missing", param=param, status=404)
