"""From the report on a checkpoint that is not ours to its panel: facts in, HTML out."""

from app.checkpoint.import_report import Report
from app.engine.engine import Engine
from app.panels.glyphs import recovered
from viz.html import Say
from viz.report import report_panel
from viz.tokens import visible


def report_view(engine: Engine, say: Say) -> str:
    """How the model on view was found, verified and imported; empty for a model of our own."""
    report, shape = engine.bundle.report, engine.model.shape
    if report is None:
        return ""
    rows = (
        ("source", f"{report.source}{_moved(report, say)}"),
        ("code", say("report_code_ran" if report.code else "report_code_none")),
        ("tables", f"{_tables(report, say)}, {say('report_frozen' if report.frozen else 'report_not_frozen')}"),
        ("fusion", _fusion(engine, report, say)),
        ("runs", _runs(report, say)),
        ("agreement", _agreement(report, say)),
        ("precision", _precision(report, say)),
        ("start", visible(report.start)),
        ("pictures", recovered(engine.bundle, say)),
    )
    summary = say("report_summary", name=report.source, experts=shape.experts, layers=shape.layers, width=shape.width)
    return report_panel([(say("report_" + code), text) for code, text in rows], vars(report), summary, say)


def _moved(report: Report, say: Say) -> str:
    """That the branch has moved on since its commit was locked; empty if it has not."""
    return f" ({say('report_moved', commit=report.newer[:12])})" if report.newer else ""


def _agreement(report: Report, say: Say) -> str:
    return say("report_compared", numbers=report.numbers, probes=report.probes, largest=f"{report.largest:.0e}")


def _tables(report: Report, say: Say) -> str:
    return say("report_table_shared") if report.tables < 2 else say("report_table_own", count=report.tables)


def _fusion(engine: Engine, report: Report, say: Say) -> str:
    if report.left_out:
        return say("report_left_out", count=report.left_out)
    if report.fusion == "learned" and engine.model.shape.experts == 1:
        return say("report_own_head")
    return _weights(engine, say) if engine.bundle.additive else say("voices_" + report.fusion)


def _weights(engine: Engine, say: Say) -> str:
    weights = engine.bundle.weights
    if weights is None:
        return say("fusion_logits")
    return say.listed(f"{name} {say.number(w, 3)}" for name, w in zip(engine.bundle.experts, weights, strict=True))


def _runs(report: Report, say: Say) -> str:
    return say("report_imported", style=report.style) if report.style else say("report_original", reason=report.reason)


def _precision(report: Report, say: Say) -> str:
    if report.drift is None:
        return report.precision
    return say("report_int8", bits=say.number(report.drift[0], 4), same=say.percent(report.drift[1]))
