"""Figures as pages show them."""

MAY_PASS_LIMITS = (
    "Intervals are Student's t, symmetric about the mean: wide ones may pass 100 %, which no "
    "accuracy does."
)
"""Said where accuracies have intervals as mean and half width."""


def span(low: str, high: str) -> str:
    """A range between two figures as they are shown; equal ones are shown once."""
    return low if low == high else f"{low} to {high}"


def three_digits(value: float) -> str:
    """With three significant digits, or all before the point; value: 0 or more."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:#.3g}".rstrip(".")
