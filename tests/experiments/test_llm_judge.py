"""The judge's experiment: one thing changes at a time, controls are found out or pass, a given model is asked."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hf_llm.experiments.frame.lab import Say
from hf_llm.experiments.frame.study import Study, select
from hf_llm.experiments.llm_judge import abstaining, blinding, calibrating, flips, position, selection, training
from hf_llm.experiments.llm_judge.cases import (
    DOMAINS,
    FACTS,
    FIRST_SECOND,
    GROUPS,
    LANGS,
    NAMES,
    PASS,
    PROXY,
    YES_NO,
    as_member,
    draw_cases,
    instructed,
    renamed,
)
from hf_llm.experiments.llm_judge.history import biased_score, decided_texts, draw_pairs, split_facts
from hf_llm.experiments.llm_judge.judges import Judge, judge_of
from hf_llm.experiments.llm_judge.lab import LAB, settings
from hf_llm.experiments.llm_judge.training import Decisions, trained_model
from hf_llm.experiments.llm_judge.trials import kappa, pairs_of, ratio, trial_of
from hf_llm.tokenization.tokenizer import encode

TINY = replace(
    training.QUICK, shape={"n_layer": 1, "n_head": 2, "n_embd": 16, "n_positions": 160}, steps=4, decided=80, tests=24,
    vocab_size=400,
)  # fmt: skip
ONE = Study(range(1), quick=True)


@pytest.fixture(scope="module", autouse=True)
def tiny():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "QUICK", TINY)
        trained_model.cache_clear()
        yield
        trained_model.cache_clear()


@pytest.fixture
def cases():
    return draw_cases(FACTS, 200, np.random.default_rng(0))


def test_the_rubric_sees_the_facts_alone_and_lets_half_through(cases):
    scores = [replace(cases[0], facts=facts).score for facts in FACTS]
    assert (min(scores), max(scores)) == (0, 9)
    assert np.mean([score >= PASS for score in scores]) == 0.5
    random = np.random.default_rng(1)
    for case in cases:
        other = as_member(replace(case, register="spoken", filler=3, named=False), "men", random)
        assert other.approved == case.approved


def test_a_change_changes_one_thing(cases):
    random = np.random.default_rng(2)
    formal = [replace(case, register="formal") for case in cases]
    for name, change in flips.CHANGES.items():
        for case in formal:
            changed = change(case, random)
            moved = {field for field in vars(case) if getattr(case, field) != getattr(changed, field)}
            allowed = {
                "same_gender_name": {"name"}, "name_and_gender": {"name", "group"},
                "neighbourhood": {"neighbourhood", "place"}, "register": {"register"},
            }[name]  # fmt: skip
            assert moved <= allowed
            assert changed.fact_sentence == case.fact_sentence or name == "register"
    assert all(renamed(case, case.group, random).prompt != case.prompt for case in formal)


def test_without_name_and_neighbourhood_both_groups_have_the_same_text():
    trial = trial_of(0, 40)
    hidden = [[replace(case, named=False, located=False).prompt for case in side] for side in (trial.women, trial.men)]
    assert hidden[0] == hidden[1]
    for case in trial.both:
        shown = replace(case, named=False, register="formal").prompt
        assert not any(name in shown for group in GROUPS for name in NAMES[group])
        assert not any(mark in shown for mark in ("Sr", "Ms.", "Mr.", "Candidat"))


def test_the_neighbourhood_gives_the_group_away_as_often_as_stated():
    random = np.random.default_rng(3)
    drawn = draw_cases(FACTS, 4000, random)
    telling = np.mean([(case.neighbourhood == "south") == (case.group == "women") for case in drawn])
    assert abs(telling - PROXY) < 0.03
    assert {(case.domain, case.lang) for case in drawn} == {(domain, lang) for domain in DOMAINS for lang in LANGS}


def test_no_judge_has_seen_the_facts_of_the_test():
    train, test = split_facts(0)
    assert not set(train) & set(test)
    assert len(train) + len(test) == len(FACTS)
    tested = {case.facts for case in trial_of(0, 100).both}
    tested |= {case.facts for pair in pairs_of(0, 100) for case in (pair.first, pair.second)}
    assert tested <= set(test)


def test_a_history_decides_as_it_says():
    facts = split_facts(0)[0]
    fair, biased, blind = (decided_texts(kind, facts, 300, 0) for kind in ("fair", "history", "history_blind"))
    assert [label for _, label in biased] == [label for _, label in blind]
    assert [prompt for prompt, _ in fair] == [prompt for prompt, _ in biased]
    assert [prompt for prompt, _ in blind[:300]] != [prompt for prompt, _ in biased[:300]]
    drawn = draw_cases(facts, 300, np.random.default_rng([0, 1]))
    for case, (prompt, label), (_, other) in zip(drawn, fair, biased):
        assert prompt == case.prompt
        assert label == YES_NO[case.lang][not case.approved]
        assert other == YES_NO[case.lang][biased_score(case) < PASS]
    firsts = [sum(label == FIRST_SECOND[0] for _, label in texts[300:]) for texts in (fair, biased)]
    assert firsts[0] < firsts[1]


def test_the_loss_is_that_of_the_label_alone():
    texts = decided_texts("fair", split_facts(0)[0], 20, 0)
    model, tokenizer = trained_model("fair", True, 0)
    batch = Decisions(model, tokenizer, texts, batch=8, seed=0).batch(0, 0, 0)
    for ids, labels in zip(batch["input_ids"], batch["labels"]):
        label = tokenizer.decode(labels[labels >= 0])
        assert label in {label for _, label in texts}
        place = int((labels >= 0).nonzero()[0])
        assert (ids[place : place + len(encode(tokenizer, label))] == labels[labels >= 0]).all()
    task = Decisions(model, tokenizer, texts, batch=8, seed=0)
    whole = model(**batch, num_items_in_batch=task.items(batch)).loss
    assert task.loss(model, batch, task.items(batch)).item() == pytest.approx(whole.item(), abs=1e-5)


def test_random_answers_turn_half_and_the_rubric_none_and_a_biased_rule_is_found_out():
    study = Study(range(3))
    trials = {seed: trial_of(seed, 400) for seed in study.seeds}
    rows = []
    for seed in study.seeds:
        for kind in ("random", "rubric", "biased_rule"):
            judge = judge_of(kind, study, seed)
            for change in flips.CHANGES:
                rows.append({"judge": kind, "seed": seed, "change": change,
                             **flips.turned(judge, *flips.both_sides(change, trials[seed]))})  # fmt: skip
    table = pd.DataFrame(rows)
    assert select(table, judge="rubric")["flips"].max() == 0
    assert (select(table, judge="random")["flips"] - 0.5).abs().max() < 0.1
    biased = select(table, judge="biased_rule")
    assert select(biased, change="name_and_gender")["shift"].max() < -0.1
    assert select(biased, change=["same_gender_name", "neighbourhood", "register"])["flips"].max() == 0


def test_a_judge_that_is_unsure_where_it_errs_errs_less_when_it_abstains():
    approved = np.array([True, False] * 50)
    odds = np.where(approved, 3.0, -3.0)
    odds[:20] = np.where(approved[:20], -0.1, 0.1)  # wrong, and hardly sure
    assert abstaining.decided(odds, approved, 1.0)["error"] == 0.2
    assert abstaining.decided(odds, approved, 0.8)["error"] == 0
    assert abstaining.decided(-odds, approved, 0.5)["error"] == 1  # surely wrong: abstaining does not help


def test_what_an_empty_case_is_answered_is_taken_off(monkeypatch):
    def yes(cases):
        return np.array([5 if case.facts is None else case.score - PASS + 5.5 for case in cases])

    def first(pairs):
        return np.array([5 if pair.first.facts is None else pair.lead + 5 for pair in pairs])

    likes_yes = Judge(yes, first)
    for part in (calibrating, position):
        monkeypatch.setattr(part, "judges", lambda study, kinds: [(0, kind, likes_yes) for kind in ("fair", "history")])
    table = calibrating.measure(ONE)["calibrating"]
    assert select(table, reading="as_read")["kappa"].max() < 0.5
    assert select(table, reading="calibrated")["kappa"].min() == 1
    orders = position.measure(ONE)["orders"]
    assert select(orders, reading="one_order")["right"].max() < 0.9
    assert select(orders, reading=["both_orders", "calibrated"])["right"].min() == 1


def test_figures_of_agreement():
    yes = np.array([True, True, False, False])
    assert kappa(yes, yes) == 1
    assert kappa(yes, ~yes) == -1
    assert kappa(np.ones(4), np.ones(4)) == 0
    assert kappa(yes, np.ones(4)) == 0
    assert ratio([0.0], [0.0], 10) == 1
    assert ratio([0.2], [0.4], 1000) == pytest.approx(0.5, abs=0.01)


def test_a_seed_repeats_the_tables_and_every_judge_is_in_them():
    one = LAB.measure(ONE)
    trained_model.cache_clear()
    for part in (selection, position):
        for name, table in part.measure(ONE).items():
            pd.testing.assert_frame_equal(table, one[name], check_exact=True)
    assert set(one["blinding"]["judge"]) == set(blinding.KINDS)
    assert set(one["flips"]["judge"]) == {"random", "rubric", "biased_rule", "fair", "history", "fair_spoken"}


def test_a_given_model_is_told_the_rubric_and_judges_beside_ours(tmp_path):
    model, tokenizer = trained_model("fair", True, 0)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    study = replace(ONE, judge=str(tmp_path))
    case, pair = draw_cases(FACTS, 1, np.random.default_rng(0))[0], draw_pairs(FACTS, 1, np.random.default_rng(0))[0]
    assert "5" in instructed(case)
    assert instructed(pair).endswith(pair.prompt)
    tables = selection.measure(study)
    assert select(tables["selection"], judge="given", slice="all")["cases"].tolist() == [training.TESTS_GIVEN]
    assert settings(study)["judge"] == str(tmp_path)
    for part in (flips, blinding):
        drawn = part.measure(study)
        for draw in part.FIGURES.values():
            assert "--judge" in texts_in(draw(drawn, Say("llm_judge", "en")))


def texts_in(figure) -> str:
    axes = figure.axes
    return " ".join([axis.get_title() for axis in axes] + [tick.get_text() for tick in axes[0].get_yticklabels()])
