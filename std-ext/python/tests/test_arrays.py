"""NumPy functions, without torch."""

import subprocess
import sys

import numpy as np
import pytest

import topk_loss

SCORES = np.array([[0.5, 0.0, 0.25], [2.0, 1.0, 0.0]])
HARD = topk_loss.top_k_hinge(1, smoothing="none")


def test_numbers_of_a_hinge():
    losses, grads = topk_loss.values_and_grads(HARD, SCORES, [0, 2])
    assert losses.tolist() == [0.75, 2.0]
    assert grads.tolist() == [[-1, 0, 1], [0, 1, -1]]
    assert topk_loss.values(HARD, SCORES, [0, 2]).tolist() == [0.75, 2.0]


def test_import_does_not_need_torch():
    code = "import sys; sys.modules['torch'] = None; import topk_loss; print(topk_loss.values(topk_loss.cross_entropy(), [[0., 0.]], [1]))"
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert output.strip() == "[0.69314718]"


@pytest.mark.parametrize("dtype, bound", [(np.float64, 1e-15), (np.float32, 1e-6), (np.float16, 1e-3)])
def test_floats(dtype, bound):
    scores = np.random.default_rng(1).normal(size=(9, 30)).astype(dtype)
    labels = np.arange(9)
    losses, grads = topk_loss.values_and_grads(topk_loss.cross_entropy(), scores, labels)
    wide = scores.astype(np.float64)
    softmax = np.exp(wide) / np.exp(wide).sum(1, keepdims=True)
    assert losses.dtype == (np.float64 if dtype == np.float64 else np.float32) and grads.dtype == dtype
    np.testing.assert_allclose(losses, -np.log(softmax[np.arange(9), labels]), rtol=100 * bound)
    np.testing.assert_allclose(grads, softmax - np.eye(30)[labels], atol=bound)


def test_rows_are_read_and_written_where_they_are():
    memory, into = np.full((6, 10), np.nan), np.full((3, 12), 7.0)
    memory[::2, 2:8] = np.random.default_rng(2).normal(size=(3, 6))
    losses, grads = topk_loss.values_and_grads(HARD, memory[::2, 2:8], [1, 2, 3], grads=into[:, 4:10])
    assert np.shares_memory(grads, into) and (into[:, :4] == 7).all() and (into[:, 10:] == 7).all()
    expected = topk_loss.values_and_grads(HARD, np.ascontiguousarray(memory[::2, 2:8]), [1, 2, 3])
    np.testing.assert_array_equal(losses, expected[0])
    np.testing.assert_array_equal(grads, expected[1])
    # Columns are copied first.
    np.testing.assert_array_equal(topk_loss.values(HARD, np.asfortranarray(memory[::2, 2:8]), [1, 2, 3]), losses)
    np.testing.assert_array_equal(topk_loss.values(HARD, memory[4::-2, 2:8], [3, 2, 1]), losses[::-1])


def test_draws_replay_whatever_the_threads_and_the_parts():
    loss = topk_loss.top_k_hinge(3, smoothing="pathwise", seed=2**64 - 5)
    scores, labels = np.random.default_rng(3).normal(size=(40, 50)).astype(np.float32), np.arange(40)
    of = lambda **options: topk_loss.values(loss, scores, labels, **options)
    np.testing.assert_array_equal(of(step=4, threads=1), of(step=4, threads=3))
    assert (of(step=4) != of(step=5)).all()
    halves = [topk_loss.values(loss, scores[part], labels[part], step=4, first_example=part.start) for part in (slice(0, 25), slice(25, 40))]
    np.testing.assert_array_equal(np.concatenate(halves), of(step=4))


def test_faults_name_the_row():
    broken = SCORES.copy()
    broken[1, 2] = np.nan
    with pytest.raises(topk_loss.TopKLossError, match="example 1: scores is NaN") as raised:
        topk_loss.values(HARD, broken, [0, 1])
    assert (raised.value.example, raised.value.status) == (1, 5)
    with pytest.raises(topk_loss.TopKLossError, match="example 1: label 3 is not below"):
        topk_loss.values(HARD, SCORES, [0, 3])
    with pytest.raises(topk_loss.TopKLossError, match="largest possible"):
        topk_loss.values(topk_loss.top_k_hinge(3, smoothing="none"), SCORES, [0, 1])
    with pytest.raises(topk_loss.TopKLossError, match="there is no example"):
        topk_loss.values(HARD, SCORES[:0], np.zeros(0, int))
    assert topk_loss.values(HARD, broken, [0, -100], ignored=-100).tolist() == [0.75, 0.0]


@pytest.mark.parametrize(
    "scores, labels",
    [(SCORES, [0]), (SCORES[0], [0]), (SCORES, [[0], [2]]), (SCORES, [0.0, 2.0]), (SCORES.astype(int), [0, 2]), (SCORES.astype(">f8"), [0, 2])],
)
def test_what_does_not_fit_is_refused(scores, labels):
    with pytest.raises(TypeError):
        topk_loss.values(HARD, scores, labels)


@pytest.mark.parametrize(
    "wrong", ["{", '{"loss": "no_such"}', topk_loss.top_k_hinge(0), topk_loss.focal(gamma=-1.0), topk_loss.polyhedral_hinge(2, margins=[-1.0])]
)
def test_wrong_descriptions_are_refused(wrong):
    with pytest.raises(topk_loss.TopKLossError):
        topk_loss.values(wrong, SCORES, [0, 2])
    with pytest.raises(TypeError):
        topk_loss.cross_entropy(weight=[1.0])


def test_parameters_may_be_numbers_of_numpy():
    plain = topk_loss.top_k_hinge(2, margins=0.5, scale=2.0, epsilon=0.25)
    numbers = topk_loss.top_k_hinge(np.int64(2), margins=np.array(0.5), scale=np.float32(2), epsilon=np.float64(0.25))
    np.testing.assert_array_equal(*(topk_loss.values(description, SCORES, [0, 2]) for description in (plain, numbers)))
    listed = topk_loss.top_k_hinge(2, margins=np.full(3, 0.5, np.float32), scale=2.0, epsilon=0.25)
    np.testing.assert_array_equal(*(topk_loss.values(description, SCORES, [0, 2]) for description in (plain, listed)))


def test_tails():
    assert topk_loss.ldam_margins([16, 1, 0], 0.5) == [0.25, 0.5, 0.5]
    assert topk_loss.log_priors([1, 1]) == [-np.log(2), -np.log(2)]
    with pytest.raises(topk_loss.TopKLossError):
        topk_loss.log_priors([1, 0])
