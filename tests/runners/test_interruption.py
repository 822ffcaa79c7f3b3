"""A person's first Ctrl-C is a request and the second is obeyed; a scheduler's signals all ask."""

import signal

import pytest

from cinelex.runners.interruption import Interruption


def test_nothing_is_requested_before_a_signal() -> None:
    with Interruption() as interruption:
        assert interruption.requested() is None


def test_the_first_ctrl_c_asks_and_the_second_ends() -> None:
    # a shell's job in the background is started with Ctrl-C ignored
    outer = signal.signal(signal.SIGINT, signal.default_int_handler)
    before = signal.getsignal(signal.SIGINT)
    with Interruption() as interruption:
        signal.raise_signal(signal.SIGINT)
        assert interruption.requested() == "interrupted"
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == before
    signal.signal(signal.SIGINT, outer)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_preemption_asks_and_a_second_signal_does_not_end_the_save(number: signal.Signals) -> None:
    with Interruption() as interruption:
        signal.raise_signal(number)
        signal.raise_signal(number)
        signal.raise_signal(signal.SIGTERM)
        assert interruption.requested() == "preempted"


def test_handlers_come_back_after_an_error() -> None:
    def fail() -> None:
        with Interruption():
            assert signal.getsignal(signal.SIGTERM) != before[signal.SIGTERM]
            raise RuntimeError

    before = {number: signal.getsignal(number) for number in Interruption.SIGNALS}
    with pytest.raises(RuntimeError):
        fail()
    assert {number: signal.getsignal(number) for number in Interruption.SIGNALS} == before
