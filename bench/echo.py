"""The yardstick for accepting orders: a bare FastAPI app that validates an order's body and returns it."""

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict
from pydantic_settings import BaseSettings


class Line(BaseModel):
    """A SKU and a quantity."""

    model_config = ConfigDict(extra="forbid", strict=True)
    sku: str
    quantity: int


class Address(BaseModel):
    """A postal address."""

    model_config = ConfigDict(extra="forbid", strict=True)
    name: str
    street: str
    city: str
    postal_code: str
    country: str


class Order(BaseModel):
    """The body of ``POST /v1/orders``."""

    model_config = ConfigDict(extra="forbid", strict=True)
    lines: list[Line]
    shipping_address: Address


class Settings(BaseSettings):
    """Where to listen."""

    host: str = "127.0.0.1"
    port: int


app = FastAPI()


@app.post("/v1/orders", status_code=202)
async def echo(order: Order) -> Order:
    """Return the body."""
    return order


@app.get("/health/ready")
async def ready() -> dict[str, str]:
    """Readiness."""
    return {"status": "ok"}


if __name__ == "__main__":
    settings = Settings()
    uvicorn.run(app, host=settings.host, port=settings.port, log_config=None, access_log=False, server_header=False)
