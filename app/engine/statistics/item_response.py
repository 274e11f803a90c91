"""Which model of item response theory the answers to a test bear, and its estimates."""

from dataclasses import replace
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from app.engine.statistics.irt.calibration import Calibration, calibrate
from app.engine.statistics.irt.fit import ItemFit, item_fit
from app.engine.statistics.irt.model import Items, Model, information, node_weights, nodes, probabilities
from app.engine.statistics.irt.posterior import Responses
from app.engine.statistics.irt.priors import Priors
from app.engine.statistics.result_data import Floats, JsonObject, ResultData, interval, number

MIN_FOR_RASCH, MIN_FOR_TWO, MIN_FOR_THREE = 30, 500, 3_000
MAX_CALIBRATED_ATTEMPTS = 10_000
"""Of more attempts an even sample is taken. With so many, the errors of difficulties are about 0.03."""

_SHOWN_ABILITIES: Floats = np.linspace(-3, 3, 25)
_SPREAD_OF_LOG_DISCRIMINATION = 0.5
_SPREAD_OF_LOGIT_GUESSING = 0.5


def model_for(attempts: int, data: ResultData) -> Model | None:
    """Return the model with the most parameters that so many attempts can estimate.

    Rasch from 30 attempts: difficulties within a logit (Linacre, 1994, "Sample size and item calibration
    stability", Rasch Measurement Transactions 7). 2PL from 500 (Hulin, Lissak and Drasgow, 1982, "Recovery
    of two- and three-parameter logistic item characteristic curves", Applied Psychological Measurement 6;
    de Ayala, 2009, "The theory and practice of item response theory"). 3PL from 3,000, with priors, and only
    if all questions have the same number of options, at least 3: Thissen and Wainer (1982), "Some standard
    errors in item response theory", Psychometrika 47, show how large its errors are below that.
    """
    if attempts < MIN_FOR_RASCH:
        return None
    if attempts < MIN_FOR_TWO:
        return Model.ONE
    numbers_of_options = {question.options for question in data.questions if not question.is_dropped}
    has_guessing = len(numbers_of_options) == 1 and max(numbers_of_options) >= 3
    return Model.THREE if attempts >= MIN_FOR_THREE and has_guessing else Model.TWO


def item_response(data: ResultData) -> JsonObject | None:
    """Calibrate the questions of a test; None if there are too few attempts, or no answers that differ."""
    kept = [place for place, question in enumerate(data.questions) if not question.is_dropped]
    model = model_for(len(data.marks), data)
    if model is None or not kept:
        return None
    rows = _sample(len(data.marks))
    responses = _responses(data, kept, rows)
    try:
        found = calibrate(responses, model, _priors(data, kept, model))
        if model is Model.THREE and not found.converged:
            found = calibrate(responses, Model.TWO, _priors(data, kept, Model.TWO))
    except ValueError:
        return None
    items: list[JsonObject | None] = [None] * len(data.questions)
    for place, item in zip(kept, _items(data, found, rows, kept), strict=True):
        items[place] = item
    return {
        "model": found.model.value,
        "answers": len(rows),
        "converged": found.converged,
        "log_likelihood": number(found.log_likelihood),
        "items": items,
        "information": _information(found.items),
    }


def _sample(attempts: int) -> NDArray[np.int64]:
    """The places of at most so many attempts, evenly spread."""
    if attempts <= MAX_CALIBRATED_ATTEMPTS:
        return np.arange(attempts)
    return np.linspace(0, attempts - 1, MAX_CALIBRATED_ATTEMPTS).astype(np.int64)


def _responses(data: ResultData, kept: list[int], rows: NDArray[np.int64]) -> Responses:
    """Right is 1, wrong 0, partly right its share of the marks, and a blank what a blind guess earns.

    Where candidates choose which questions they answer, a blank is a question that was not given.
    """
    cells = np.ix_(rows, np.array(kept))
    letters = data.letters[cells]
    questions = [data.questions[place] for place in kept]
    shares = np.clip(data.marks[cells] / data.max_marks[kept], 0, 1)
    shares[letters == ord("c")] = 1
    shares[letters == ord("i")] = 0
    blank = letters == ord("u")
    shares = np.where(blank, [question.guess for question in questions], shares)
    optional = np.array([question.is_optional for question in questions])
    return Responses(shares, seen=~(blank & optional) if optional.any() else None)


def _priors(data: ResultData, kept: list[int], model: Model) -> Priors:
    """Difficulties as they are known before, lognormal discriminations, and guessing near 1 / options.

    The estimator takes the prior of the discrimination once for each item. In the Rasch model all items
    share it: this prior, taken once for each item, is that of a lognormal density with the same spread.
    """
    questions = [data.questions[place] for place in kept]
    discrimination = 0.0, _SPREAD_OF_LOG_DISCRIMINATION
    if model is Model.ONE:
        spread = _SPREAD_OF_LOG_DISCRIMINATION * sqrt(len(kept))
        discrimination = spread**2, spread
    return Priors(
        log_discrimination=discrimination,
        intercept_mean=np.array([-question.difficulty for question in questions]),
        intercept_deviation=np.array([question.difficulty_deviation for question in questions]),
        logit_guessing_mean=-log(max(questions[0].options - 1, 1)),
        logit_guessing_deviation=_SPREAD_OF_LOGIT_GUESSING,
    )


def _items(
    data: ResultData, found: Calibration, rows: NDArray[np.int64], kept: list[int]
) -> list[JsonObject | None]:
    """The parameters of each item, and whether it fits. None where all have it right, or all wrong."""
    if found.model is Model.ONE:
        found = replace(found, difficulty_error=_rasch_errors(found.items, len(rows), data, kept))
    known = np.isfinite(found.items.difficulty)
    places = np.array(kept)[known]
    items = Items(*(each[known] for each in _parameters(found.items)))
    fit = item_fit(data.letters[np.ix_(rows, places)] == ord("c"), items, found.model)
    fits = iter(range(len(places)))
    return [_item(found, item, fit, next(fits)) if known[item] else None for item in range(len(kept))]


def _rasch_errors(items: Items, attempts: int, data: ResultData, kept: list[int]) -> Floats:
    """The errors of difficulties from the expected information of each item and its prior.

    The errors of `calibrate` need several times more attempts than items, and few attempts is where the
    Rasch model is used. On simulated answers of 100 people, intervals of 90 % covered 92 %.
    """
    curve = probabilities(items, nodes())
    answers = attempts * (curve * (1 - curve)) @ node_weights()
    priors = np.array([1 / data.questions[place].difficulty_deviation ** 2 for place in kept])
    errors: Floats = 1 / (items.discrimination * np.sqrt(answers + priors))
    return errors


def _parameters(items: Items) -> tuple[Floats, Floats, Floats]:
    return items.discrimination, items.difficulty, items.guessing


def _item(found: Calibration, item: int, fit: ItemFit, place: int) -> JsonObject:
    difficulty, error = found.items.difficulty[item], found.difficulty_error[item]
    return {
        "difficulty": number(difficulty),
        "difficulty_error": number(error),
        "difficulty_interval": interval(difficulty, error),
        "discrimination": number(found.items.discrimination[item]),
        "discrimination_error": number(found.discrimination_error[item]),
        "guessing": number(found.items.guessing[item]),
        "guessing_error": number(found.guessing_error[item]),
        "fit": {
            "statistic": number(fit.statistic[place]),
            "degrees_of_freedom": int(fit.degrees_of_freedom[place]),
            "probability": number(fit.probability[place]),
        },
    }


def _information(items: Items) -> list[JsonObject]:
    """What the test tells of abilities from -3 to 3, and the error with which it measures them."""
    known = np.isfinite(items.difficulty)
    kept = Items(*(each[known] for each in _parameters(items)))
    total = information(kept, _SHOWN_ABILITIES).sum(axis=0)
    return [
        {
            "ability": number(ability),
            "information": number(amount),
            # The prior of the abilities counts as information of 1, as in an ability by EAP.
            "standard_error": number(1 / sqrt(1 + amount)),
        }
        for ability, amount in zip(_SHOWN_ABILITIES, total, strict=True)
    ]
