"""What all tests share: how hypothesis draws its cases."""

import os

from hypothesis import HealthCheck, settings

# A landing must not hang on luck or on how busy the machine is; elsewhere every run explores.
settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
if os.environ.get("CI"):
    settings.load_profile("ci")
