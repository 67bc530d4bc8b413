"""The package's parts are links in a checkout; without them nothing but an error can be run."""

from pathlib import Path

from toreq_hw.errors import CheckoutError

PARTS = ("boards", "lava_backend", "quant", "reports", "rtl", "sim")
"""Top-level folders of a checkout; folders of the package in a wheel."""


def check_links(package: Path) -> None:
    """Raises CheckoutError unless each part is a folder, or a link to one, in `package`.

    Git writes a link as a text file where links are switched off, as on Windows by default.
    """
    for part in PARTS:
        place = package / part
        if place.is_dir():
            continue
        found = "a text file" if place.is_file() else "nothing"
        raise CheckoutError(
            f"{place} must be a folder or a link to one, found {found}: clone again where links "
            "can be made, with git clone -c core.symlinks=true (Windows: in developer mode, or "
            "under WSL), or install a wheel"
        )
