"""The first signal is a request, the second is obeyed at once."""

import signal

import pytest

from runners.interruption import Interruption


def test_nothing_is_requested_before_a_signal() -> None:
    with Interruption() as interruption:
        assert not interruption.requested()


def test_the_first_ctrl_c_asks_and_the_second_ends() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interruption() as interruption:
        signal.raise_signal(signal.SIGINT)
        assert interruption.requested()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == before


def test_handlers_come_back_after_an_error() -> None:
    def fail() -> None:
        with Interruption():
            assert signal.getsignal(signal.SIGTERM) != before[signal.SIGTERM]
            raise RuntimeError

    before = {number: signal.getsignal(number) for number in Interruption.SIGNALS}
    with pytest.raises(RuntimeError):
        fail()
    assert {number: signal.getsignal(number) for number in Interruption.SIGNALS} == before
