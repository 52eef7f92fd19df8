"""What the report says of false alarms of tuning is what its command measures."""

from __future__ import annotations

import pytest
from tuning_verdicts import simulate

from harness.tuning import false_alarms


def test_fault_confirmation_seems_to_help_in_no_more_than_a_fortieth_of_null_studies():
    table = false_alarms.read_table()
    assert {one.candidates for one in table} == set(false_alarms.CANDIDATES)
    assert all(one.simulations >= 4000 and one.seeds == 5 for one in table)
    assert max(one.rate for one in table if one.rule == "by tuned score") <= 0.03  # 2.5 %, and twice its standard error
    old = [one.rate for one in table if one.rule == "best on fresh seeds" and one.candidates == 10]
    assert max(old) > 0.09


def test_the_table_is_what_its_command_measures():
    known = {one[:5]: one.rate for one in false_alarms.read_table()}
    for again in simulate(300, only=(("normal", 1, 10),)):
        assert again.rate == pytest.approx(known[again[:5]], abs=0.06)
        if again.rule == "by tuned score":
            assert again.rate <= 0.045


def test_the_sentence_quotes_the_table():
    text = false_alarms.describe()
    worst = max(one.rate for one in false_alarms.read_table() if one.rule == "by tuned score" and one.candidates == 3)
    assert f"at most {100 * worst:.1f} % with 3 and" in text
    assert "4,000 studies" in text
