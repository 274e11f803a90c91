"""A house rule: code that reads a key, or what comes of one, asks the embargo or says why it need not.

A function that touches one of the names below must ask `app/repositories/embargo.py`, itself or through a
function of its own module, or stand in the table with its reason.
"""

import ast
import re
from collections.abc import Iterator

from tests.conftest import ROOT
from tests.source_code import source_of

# Attributes that are a key or come from one, and methods that read such rows.
TELLING = {
    "key",
    "answer_key",
    "explanation",
    "outcomes",
    "grader",
    "score_numerator",
    "score_denominator",
    "raw_numerator",
    "raw_denominator",
    "histogram",
    "exam_results",
    "scored",
    "merit_list",
    "correct_shares",
}
# Tables of such rows, and functions that read them.
TELLING_NAMES = {
    "AttemptFigures",
    "ScoreCount",
    "OutcomeCount",
    "ExamResult",
    "KeyVersion",
    "score_of",
    "card_of",
}
TELLING_SQL = re.compile(
    r"\b(attempt_figures|outcomes|score_counts|outcome_counts|paper_statistics|exam_results|explanation|paper_keys)\b"
)
TELLING_TEXT = re.compile(rf"\.({'|'.join(TELLING)})\b|\b({'|'.join(TELLING_NAMES)})\b|{TELLING_SQL.pattern}")
"""Every module that tells something contains this."""
ASKING = {
    "withheld",
    "withholds_paper",
    "withholds_exam",
    "withholds_a_version",
    "released_exam",
    "held_questions",
    "hides_test",
    "_is_withheld",
    "withholds_attempt",
    "shows_results",
    "of_result",
}
# Rules without a database, tables, what crosses the API (made from what services hand over), and strangers.
NOT_JUDGED = (
    "app/engine/",
    "app/interchange/",
    "app/models/",
    "app/schemas/",
    "app/core/",
    "devservers/",
    "rehearsal/",
)

REVISED = "services/keys/revisions.py has asked for all questions of the paper"
WRITES = "it writes a result, figures or a histogram and shows nothing"
SHOWN = "of attempts that repositories/analytics/shown.py has found, which asks"
CHECKED = "it checks or changes what an author has just sent"
RELEASE = "for the release itself"
ON_BOARDS = "services/analytics/leaderboards.py asks before it reads places"
HANDED = "a statement whose callers ask: services/attempts/results.py, services/exams/results.py"
DOCUMENTS = "services/result_documents/issuing.py and requests.py ask before a result is read"
EXPORTED = "services/exams/exports.py::export asks before anything is read"
IN_BULK = "for the refresh of statistics, which stores them; who reads the statistics asks"
RAISES = "it raises for a key that its type does not know, and shows none"
SEARCHED = "it compares what a sheet says with the bank, after imports.py refused what is withheld"
SHOWN = "its callers hand over attempts that are shown to their candidate"
NEED_NOT_ASK = {
    "app/api/direct_responses.py::DirectResponses.__init__": "the key of a route",
    "app/repositories/exams/result_documents.py::ResultDocumentRepository.names": DOCUMENTS,
    "app/services/exams/key_stages.py::_shown": "show_key() has asked may_know_keys",
    "app/services/exams/paper_keys.py::_key": "paper_key() has asked",
    "app/services/objections/objecting.py::make": "explanations of objections; _cluster is judged apart",
    "app/services/objections/objecting.py::_cluster": "lock_windows() hands over a key that is shown",
    "app/services/objections/windows.py::check_question": "lock_windows() hands over a key that is shown",
    "app/services/objections/sheets.py::_cells": "an explanation of an objection; current_keys() asks",
    "app/services/objections/windows.py::_key_at_exam": "reviewed_key() and shown_key_ids() ask",
    "app/repositories/privacy/exports.py::DATASETS": "explanations that the person gave for objections",
    "app/repositories/analytics/ratings.py::SEEN": "which questions were seen, not how they were answered",
    "app/repositories/analytics/ratings.py::RatingRepository.mark_applied": "it shows nothing",
    "app/repositories/analytics/ratings.py::RatingRepository.taken_in": "they were shown when they came in",
    "app/repositories/analytics/ratings.py::_graded": "waiting() asks; taken_in() is judged apart",
    "app/services/analytics/taking_in.py::_taken": "RatingRepository.waiting has asked",
    "app/repositories/attempts/attempts.py::_HISTOGRAM": HANDED,
    "app/repositories/analytics/read_versions.py::_VERSIONS": "digests of rows, which are only compared",
    "app/repositories/attempts/attempts.py::AttemptRepository.places": HANDED,
    "app/repositories/attempts/attempts.py::PLACES": HANDED,
    "app/repositories/attempts/reviews.py::CORRECT": HANDED,
    "app/services/attempts/results.py::_correct_percents": "_outcomes() has asked",
    "app/services/attempts/results.py::card_of": "_outcome() and submitted_results() have asked",
    "app/services/attempts/results.py::_summary": "_outcome() and submitted_results() have asked",
    "app/repositories/idempotency.py::KeptResponseRepository.find": "`key` is that of a request",
    "app/repositories/idempotency.py::KeptResponseRepository.lock": "`key` is that of a request",
    "app/repositories/exams/results.py::ExamResultRepository.scored": RELEASE,
    "app/repositories/exams/marked_sheets.py::MarkedSheetRepository.of_exam": RELEASE,
    "app/services/exams/part_scores.py::part_scores": RELEASE,
    "app/services/exams/part_scores.py::_Division.add": RELEASE,
    "app/repositories/exams/results.py::ExamResultRepository.add_release": WRITES,
    "app/repositories/exams/results.py::ExamResultRepository.outcomes": HANDED,
    "app/repositories/exams/results.py::ExamResultRepository.result": HANDED,
    "app/repositories/exams/results.py::_revisions": HANDED,
    "app/repositories/exams/results.py::_own_releases": HANDED,
    "app/repositories/exams/results.py::ExamResultRepository.merit_list": HANDED,
    "app/repositories/exams/results.py::ExamResultRepository.whole_merit_list": HANDED,
    "app/repositories/exams/results.py::_merit": HANDED,
    "app/repositories/exams/exports.py::ExamExportRepository.keys": EXPORTED,
    "app/repositories/exams/exports.py::ExamExportRepository.candidates": EXPORTED,
    "app/services/exams/exports.py::_paper": EXPORTED,
    "app/services/exams/exports.py::_key": EXPORTED,
    "app/repositories/exams/result_documents.py::ResultDocumentRepository.one": DOCUMENTS,
    "app/repositories/exams/result_documents.py::ResultDocumentRepository.count": DOCUMENTS,
    "app/repositories/exams/result_documents.py::ResultDocumentRepository.known_roll_numbers": DOCUMENTS,
    "app/repositories/exams/result_documents.py::ResultDocumentRepository.after": DOCUMENTS,
    "app/repositories/exams/result_documents.py::_BEFORE": DOCUMENTS,
    "app/repositories/exams/result_documents.py::_issued": DOCUMENTS,
    "app/repositories/exams/result_documents.py::_conditions": DOCUMENTS,
    "app/services/result_documents/verification.py::exam_digest": DOCUMENTS,
    "app/services/result_documents/certificates.py::gets_certificate": DOCUMENTS,
    "app/services/result_documents/exam_sheets.py::_cutoff": DOCUMENTS,
    "app/services/result_documents/test_sheets.py::issue_test_sheet": "attempts.result has asked",
    "app/services/result_documents/looking_up.py::_of_test": "CandidateRepository.find has asked",
    "app/repositories/attempts/grading.py::COUNT": WRITES,
    "app/repositories/attempts/grading.py::DISCOUNT": WRITES,
    "app/repositories/attempts/regrading.py::COUNT_OUTCOMES": WRITES,
    "app/repositories/analytics/progress.py::_listed_attempt": "ProgressRepository._listed has asked",
    "app/repositories/tests/catalog.py::_own_attempts": "CatalogRepository._own has asked",
    "app/repositories/scores.py::score_of": "whoever calls it is judged here",
    "app/repositories/tests/popularity.py::published_cohort": "it reads ids",
    "app/repositories/tests/popularity.py::ranked_candidates": "a count that no key changes; callers ask",
    "app/repositories/tests/keys.py::CURRENT": "it reads ids",
    "app/repositories/tests/keys.py::KeyRepository.find": "papers.py marks attempts with it",
    "app/repositories/tests/keys.py::KeyRepository.current": "printouts.py asks",
    "app/repositories/tests/keys.py::KeyRepository.cohort_with": "it reads ids",
    "app/repositories/tests/keys.py::KeyRepository.cohorts": "it reads ids",
    "app/repositories/tests/keys.py::_VERSIONS_IN": "it reads numbers of versions; callers ask",
    "app/repositories/tests/keys.py::_keys_of": "it reads ids",
    "app/repositories/tests/keys.py::_COHORT_OF_VERSION": "it reads ids",
    "app/services/tests/compiling.py::CompiledPaper.fingerprint": "publishing.py asks",
    "app/services/tests/cohorts.py::add_key_version": WRITES,
    "app/repositories/tests/keys.py::KeyRepository.add_next": WRITES,
    "app/repositories/tests/tests.py::TestRepository.add_paper": WRITES,
    "app/repositories/analytics/candidates.py::_candidate": "CandidateRepository._listed has asked",
    "app/services/analytics/cutoffs.py::TakenPaper.answers": SHOWN,
    "app/services/analytics/cutoffs.py::cutoff_chances": SHOWN,
    "app/services/analytics/performance.py::sums_of": SHOWN,
    "app/services/analytics/subject_answers.py::_answer": SHOWN,
    "app/services/analytics/study.py::study": "ShownRepository has asked",
    "app/services/analytics/progress.py::overall": "ProgressRepository counts what is not withheld",
    "app/repositories/analytics/figures.py::FiguresRepository.store": WRITES,
    "app/repositories/analytics/figures.py::FiguresRepository.count_after": "for the operator's rebuild",
    "app/repositories/analytics/figures.py::FiguresRepository.graded_after": "it reads ids",
    "app/repositories/analytics/figures.py::FiguresRepository.waiting_of_exam": "it reads ids",
    "app/repositories/analytics/figures.py::FiguresRepository.tests_with_results": "it reads ids",
    "app/repositories/analytics/shown.py::ShownRepository.spent_ms": "times, of attempts that are shown",
    "app/repositories/analytics/shown.py::attempt_of": "ShownRepository.attempts has asked",
    "app/repositories/analytics/shown.py::STANDINGS": "callers ask: EmbargoRepository.withheld_ranks",
    "app/services/analytics/evidence.py::gather": SHOWN,
    "app/services/analytics/judging.py::digest_of": SHOWN,
    "app/services/analytics/evidence.py::_answers": SHOWN,
    "app/services/analytics/overview.py::Totals.of": SHOWN,
    "app/services/analytics/test_analysis.py::analyze": "_shown() looks at what AttemptAtTestRepository asks",
    "app/services/analytics/test_analysis.py::_sections": "analyze() has asked",
    "app/services/analytics/test_analysis.py::_changes": "analyze() has asked",
    "app/services/analytics/test_analysis.py::_participants": "analyze() has asked",
    "app/services/analytics/trend.py::marks_band": SHOWN,
    "app/services/analytics/trend.py::_binomial_error": SHOWN,
    "app/services/analytics/figures.py::calculate": WRITES,
    "app/services/analytics/figures.py::_sheet": WRITES,
    "app/services/attempts/grading.py::grade": WRITES,
    "app/services/attempts/grading.py::_result": WRITES,
    "app/services/attempts/grading.py::_counted": WRITES,
    "app/services/attempts/results.py::_review": "_outcome() has asked",
    "app/services/exams/releasing.py::materialize": "release() has asked, and shows none of it",
    "app/services/exams/releasing.py::_entrants": "for materialize()",
    "app/services/exams/releasing.py::_current_keys": "how papers are printed, for materialize()",
    "app/services/printing/composing.py::PrintJob.compose": "printouts.py has asked",
    "app/services/keys/changes.py::revised_papers": REVISED,
    "app/services/keys/changes.py::shown_changes": REVISED,
    "app/services/keys/changes.py::ShownChange.stored": REVISED,
    "app/services/keys/changes.py::_checked_keys": REVISED,
    "app/services/keys/changes.py::_normalized": REVISED,
    "app/services/keys/impacts.py::impact_of": REVISED,
    "app/services/keys/impacts.py::_signature": REVISED,
    "app/services/keys/cohorts.py::cohorts_after": REVISED,
    "app/services/keys/scales.py::NewScores.obstacle": "of released exams; it shows only codes of papers",
    "app/services/keys/bank.py::_follow": "follow() has asked",
    "app/services/keys/carrying_out.py::_new_keys": WRITES,
    "app/services/keys/regrading.py::Regrader.__init__": REVISED,
    "app/services/keys/regrading.py::Regrader._regrade": REVISED,
    "app/services/keys/regrading.py::Regrader.load_old_keys": REVISED,
    "app/services/keys/regrading.py::staged_row": WRITES,
    "app/services/keys/replacing.py::Replacement._ranks": WRITES,
    "app/services/questions/bank.py::QuestionUpdate.content": CHECKED,
    "app/services/questions/content.py::Content.is_dropped": CHECKED,
    "app/services/questions/content.py::Content.normalized": CHECKED,
    "app/services/questions/content.py::Content.check_readable": RAISES,
    "app/services/questions/content.py::Content.has_key": CHECKED,
    "app/services/questions/content.py::_key_problems": CHECKED,
    "app/services/questions/content.py::_unreadable_texts": CHECKED,
    "app/services/questions/exports.py::key_cell": "export() leaves out what is withheld: fits()",
    "app/services/questions/exports.py::cells_of": "export() leaves out what is withheld: fits()",
    "app/services/questions/history.py::_flat": "compare() leaves key and explanation out where withheld",
    "app/services/questions/plans.py::QuestionImportPlan.revise": SEARCHED,
    "app/services/questions/plans.py::merged": SEARCHED,
    "app/services/questions/plans.py::_kept_type": SEARCHED,
    "app/services/questions/replacements.py::_key": SEARCHED,
    "app/services/questions/replacements.py::replacements": SEARCHED,
    "app/services/questions/item_exports.py::_item": "_selected() leaves out what is withheld",
    "app/services/questions/item_rows.py::_columns": CHECKED,
    "app/services/questions/item_rows.py::_problems": CHECKED,
    "app/services/questions/item_rows.py::_row": CHECKED,
    "app/services/questions/row_checks.py::_keys": CHECKED,
    "app/services/questions/row_checks.py::_right": CHECKED,
    "app/services/questions/row_checks.py::_by_column": CHECKED,
    "app/services/tests/compiling.py::answer_key_of": "for the frozen paper, and obstacles() that asked",
    "app/services/tests/suspicious_keys.py::_contradicting": "previewing.py and publishing.py ask",
    "app/services/tests/suspicious_keys.py::_all_equal": "previewing.py and publishing.py ask",
    "app/services/tests/printouts.py::_check_readable": RAISES,
    "app/services/tests/readiness.py::_unreadable": "obstacles() looks at no key if one is withheld",
    "app/services/exams/release_preview.py::_preview": "_may_know has asked, before the release is tried",
    "app/services/exams/release_preview.py::_first_ranks": "_may_know has asked",
    "app/services/tests/papers.py::compiled": "what marks attempts, kept in memory",
    "app/repositories/analytics/matrices.py::RESULTS": IN_BULK,
    "app/repositories/analytics/matrix_arrays.py::_marking": IN_BULK,
    "app/repositories/analytics/test_statistics.py::GROUPS": "it reads ids and counts results",
    "app/repositories/analytics/test_statistics.py::_COUNTED": IN_BULK,
    "app/repositories/analytics/test_statistics.py::COUNTS": IN_BULK,
    "app/repositories/analytics/test_statistics.py::CHANGED": "it reads ids",
    "app/services/analytics/similarity.py::compare": "material() has asked",
    "app/services/analytics/similarity_search.py::search": "similarity.material() has asked",
    "app/services/analytics/similarity_search.py::_pairs": "similarity.material() has asked",
    "app/services/reports/reporting.py::material": "test_statistics.items() has asked",
    "app/services/reports/reporting.py::_of": "test_statistics.items() has asked, for material()",
    "app/services/reports/reporting.py::_items": "test_statistics.items() has asked, for material()",
    "app/services/reports/reporting.py::_rests_on": "test_statistics.items() has asked, for material()",
    "app/services/reports/composing.py::_Composer.__init__": "reporting.material() has asked",
    "app/services/reports/composing.py::_histogram": "reporting.material() has asked",
    "app/services/analytics/item_analysis.py::load": IN_BULK,
    "app/repositories/analytics/answer_sheets.py::SHEETS": "services/analytics/similarity.py and reports ask",
    "app/repositories/analytics/answer_sheets.py::AnswerSheetsInBulkRepository.load": "the same",
    "app/services/analytics/test_statistics.py::summary": "TestStatisticsRepository.of_test asks",
    "app/services/analytics/test_statistics.py::right_options": "items() has asked",
    "app/services/analytics/item_analysis.py::_right_option": IN_BULK,
    "app/services/unit_of_work.py::Reading.__init__": "it makes the repositories",
    "app/api/v1/exams/releasing.py::get_merit_list": "services/exams/results.py asks",
    "app/repositories/analytics/leaderboards.py::LeaderboardRepository.histograms_by_category": ON_BOARDS,
    "app/repositories/analytics/leaderboards.py::LeaderboardRepository.exam_places": ON_BOARDS,
    "app/repositories/analytics/leaderboards.py::_of_release": ON_BOARDS,
    "app/repositories/analytics/leaderboards.py::_merit": ON_BOARDS,
    "app/repositories/analytics/leaderboards.py::_participants": ON_BOARDS,
    "app/repositories/analytics/leaderboards.py::_participant": ON_BOARDS,
    "app/repositories/analytics/leaderboards.py::LeaderboardRepository.ranked_by_group": ON_BOARDS,
    "app/repositories/analytics/leaderboards.py::RankedGroup.conditions": ON_BOARDS,
    "app/services/analytics/leaderboards.py::_ranked": "of_test and of_exam have asked",
}


def pieces(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Functions, methods and constants of a module, by their names."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield f"{node.name}.{inner.name}", inner
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node


def names_in(piece: ast.AST) -> set[str]:
    """All names and attributes that a piece of code mentions."""
    nodes = list(ast.walk(piece))
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return attributes | {node.id for node in nodes if isinstance(node, ast.Name)}


def tells(piece: ast.AST) -> bool:
    """Whether it reads what a key says, or what comes of it."""
    nodes = list(ast.walk(piece))
    sql = (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
    read = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    says = any("select" in text and TELLING_SQL.search(text) for text in sql)
    return bool(TELLING & read) or bool(TELLING_NAMES & names_in(piece)) or says


def silent(tree: ast.Module) -> set[str]:
    """The pieces of a module that tell something and ask nobody, not through each other either."""
    found = dict(pieces(tree))
    mentioned = {name: names_in(piece) for name, piece in found.items()}
    asking = {name for name, names in mentioned.items() if ASKING & names}
    while more := {
        name
        for name, names in mentioned.items()
        if name not in asking and {other.rpartition(".")[2] for other in asking} & names
    }:
        asking |= more
    return {name for name, piece in found.items() if name not in asking and tells(piece)}


def test_what_tells_of_a_key_asks_the_embargo() -> None:
    found = set()
    for path in sorted((ROOT / "app").rglob("*.py")):
        module = path.relative_to(ROOT).as_posix()
        if not module.startswith(NOT_JUDGED) and TELLING_TEXT.search(source_of(path).text):
            found |= {f"{module}::{name}" for name in silent(source_of(path).tree)}
    assert found == set(NEED_NOT_ASK)


def silent_in(source: str) -> set[str]:
    return silent(ast.parse(source))


def test_a_planted_violation_is_found() -> None:
    source = (ROOT / "app/services/attempts/results.py").read_text()
    asked_before = {"_review", "_correct_percents", "card_of", "_summary"}
    assert silent_in(source) == asked_before
    unasked = source.replace("_refusal(own)", "None").replace("_is_withheld(known)", "False")
    unasked = unasked.replace("await reads.embargo.of_result", "ask")
    assert silent_in(unasked) == {*asked_before, "_outcome", "reviewed_key"}
    leak = "async def leak(reads, paper_id):\n    return (await reads.keys.current(paper_id)).key\n"
    assert silent_in(leak) == {"leak"}
    assert silent_in('LEAK = text("select outcomes from ias.results")\n') == {"LEAK"}
    asked = leak.replace("    return", "    await embargo.withheld(reads, [paper_id])\n    return")
    assert silent_in(asked) == set()
