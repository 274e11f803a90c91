"""The `ias` command: each command lives in a file of its own and imports what is heavy only when it runs."""

import typer

from app.cli import (
    admin,
    analytics,
    demo,
    exam,
    export,
    import_,
    import_sheets,
    import_users,
    institute,
    migrate,
    report,
    serve,
    sheet,
    signing_keys,
    test,
    up,
    verify,
    worker,
)

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
app.command()(up.up)
app.command()(serve.serve)
app.command()(worker.worker)
app.command()(migrate.migrate)
app.command()(verify.verify)
app.add_typer(admin.admin, name="admin")
import_.import_app.command("answer-sheets")(import_sheets.answer_sheets)
import_.import_app.command("users")(import_users.users)
app.add_typer(import_.import_app, name="import")
app.add_typer(export.export_app, name="export")
app.add_typer(test.test_app, name="test")
app.add_typer(exam.exam_app, name="exam")
app.add_typer(report.report_app, name="report")
app.add_typer(analytics.analytics_app, name="analytics")
app.add_typer(institute.institute_app, name="institute")
app.add_typer(sheet.sheet_app, name="sheet")
app.add_typer(signing_keys.signing_keys_app, name="signing-keys")
app.add_typer(demo.demo_app, name="demo")


@app.callback()
def ias() -> None:
    """The backend of an IAS test series."""
