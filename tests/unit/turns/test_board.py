"""Watching a turn: every event once, in order, also for those who come back."""

import asyncio

from runtime.channels.base import Done, Partial, Reply
from runtime.turns.board import ENDING_IDS, Board
from runtime.words import TurnId

TURN = TurnId("turn:anden:api:default:00000001")


async def test_events_come_in_order_and_end_with_the_turn() -> None:
    board = Board()
    board.open(TURN)
    watching = asyncio.create_task(_all(board, 0))
    for text in "abc":
        board.post(TURN, Partial(text))
        await asyncio.sleep(0)
    board.post(TURN, Reply("abc"))
    board.post(TURN, Done())
    board.close(TURN)
    assert await watching == [1, 2, 3, ENDING_IDS[Reply], ENDING_IDS[Done]]


async def test_whoever_comes_back_gets_only_what_is_new() -> None:
    board = Board()
    board.open(TURN)
    for text in "abc":
        board.post(TURN, Partial(text))
    watching = asyncio.create_task(_all(board, 2))
    await asyncio.sleep(0)
    board.close(TURN)
    assert await watching == [3]


async def test_a_turn_that_does_not_run_here_has_no_events() -> None:
    assert await _all(Board(), 0) == []


async def _all(board: Board, after: int) -> list[int]:
    return [event.id async for event in board.watch(TURN, after)]
