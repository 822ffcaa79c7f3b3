"""Videos of a study in turn over its views, and some left out."""

from cinelex.data.studies.choice import ViewChoice

VIEWS = ("a", "a", "a", "b", "c", "b")
TURNS = (0, 1, 2, 3, 4, 5)


def test_without_balance_the_lowest_draws_are_taken_in_the_order_of_the_study() -> None:
    assert ViewChoice().take((5, 1, 3), ("a", "b", "c"), 2, key=(0,)) == [1, 2]
    assert ViewChoice().take((5, 1, 3), (), 8, key=(0,)) == [0, 1, 2]


def test_each_view_comes_before_a_second_of_any() -> None:
    balanced = ViewChoice(balanced=True)
    assert balanced.take(TURNS, VIEWS, 3, key=(0,)) == [0, 3, 4]
    assert balanced.take(TURNS, VIEWS, 5, key=(0,)) == [0, 1, 3, 4, 5]
    assert balanced.take(TURNS, (), 2, key=(0,)) == [0, 1]


def test_dropout_leaves_its_share_out_and_never_the_last() -> None:
    choice = ViewChoice(dropout=0.3)
    taken = [choice.take(TURNS, VIEWS, 6, key=("study", n)) for n in range(500)]
    share = 1 - sum(map(len, taken)) / (6 * 500)
    assert 0.26 < share < 0.34
    nearly_all = ViewChoice(dropout=1.0)
    assert {len(nearly_all.take(TURNS, VIEWS, 6, key=(n,))) for n in range(20)} == {1}
