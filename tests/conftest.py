"""How the random tests of this project run: freshly random each time, and repeatable from what they print."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings

# No deadline: the machines that run this are busy, and a test must fail for its assertion alone.
settings.register_profile(
    "sgsession",
    derandomize=False,
    print_blob=True,
    deadline=None,
    max_examples=60,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("sgsession")
