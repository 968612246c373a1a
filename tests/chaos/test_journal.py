from pathlib import Path

from tests.chaos.journal import Attempt, JournalWriter, read_journals


def test_journal_tells_what_was_tried_taken_back_and_acknowledged(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "journal")
    writer.trying(10, 3, undone=2)
    writer.acknowledged(10)
    writer.trying(15, 4)
    writer.close()

    journal = read_journals([tmp_path / "journal"])

    assert journal.attempts == [Attempt(range(10, 13), range(13, 15), is_acknowledged=True), Attempt(range(15, 19))]
    assert (journal.tried, journal.acknowledged, journal.undone) == (7, 3, 2)


def test_process_that_was_killed_before_its_first_transaction_has_tried_nothing(tmp_path: Path) -> None:
    assert read_journals([tmp_path / "journal"]).attempts == []
