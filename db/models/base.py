"""What all tables share."""

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, MetaData

metadata = MetaData()


def moment(name: str, **options: object) -> Column[object]:
    """A timestamptz column; UTC."""
    return Column(name, DateTime(timezone=True), **options)  # type: ignore[arg-type]  # options are Column's own


def owner() -> Column[int]:
    """The customer, as the first part of the primary key."""
    return Column("customer_id", BigInteger, ForeignKey("customers.id"), primary_key=True)
