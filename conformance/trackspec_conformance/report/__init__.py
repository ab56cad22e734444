"""What a run found: the verdict for each profile, and for each requirement what became of it."""

from trackspec_conformance.report.verdict import ProfileVerdict, Report, RequirementVerdict, draw_up

__all__ = ["ProfileVerdict", "Report", "RequirementVerdict", "draw_up"]
