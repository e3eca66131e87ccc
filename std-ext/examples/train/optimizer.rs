//! Stochastic gradient descent with Nesterov momentum and weight decay, in the form of PyTorch's `SGD`.

use faer::{Mat, MatMut, MatRef, unzip, zip};

const MOMENTUM: f32 = 0.9;
const WEIGHT_DECAY: f32 = 1e-5;

/// The optimiser of one parameter matrix.
///
/// Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and momentum in deep learning", ICML 2013.
pub struct Sgd {
    velocity: Mat<f32>,
}

impl Sgd {
    pub fn new(nrows: usize, ncols: usize) -> Self {
        Self { velocity: Mat::zeros(nrows, ncols) }
    }

    /// Moves `params` against `grads`.
    pub fn step(&mut self, params: MatMut<'_, f32>, grads: MatRef<'_, f32>, learning_rate: f32) {
        zip!(params, grads, self.velocity.as_mut()).for_each(|unzip!(param, grad, velocity)| {
            let grad = *grad + WEIGHT_DECAY * *param;
            *velocity = MOMENTUM * *velocity + grad;
            *param -= learning_rate * (grad + MOMENTUM * *velocity);
        });
    }
}

/// The learning rate of an epoch: a tenth from two thirds of the epochs on, a hundredth from five sixths on.
pub fn learning_rate(initial: f32, epoch: usize, epochs: usize) -> f32 {
    let decays = usize::from(3 * epoch >= 2 * epochs) + usize::from(6 * epoch >= 5 * epochs);
    initial * [1.0, 0.1, 0.01][decays]
}

#[cfg(test)]
mod tests {
    use faer::mat;

    use super::{Sgd, learning_rate};

    /// Two steps of `torch.optim.SGD([1.0], lr=0.5, momentum=0.9, nesterov=True, weight_decay=1e-5)` with gradients 1 and −2.
    #[test]
    fn steps_are_those_of_pytorch() {
        let (mut params, mut sgd) = (mat![[1.0]], Sgd::new(1, 1));
        sgd.step(params.as_mut(), mat![[1.0]].as_ref(), 0.5);
        assert!((params[(0, 0)] - 0.049_990_5).abs() < 1e-6, "{params:?}");
        sgd.step(params.as_mut(), mat![[-2.0]].as_ref(), 0.5);
        assert!((params[(0, 0)] - 1.544_986).abs() < 1e-6, "{params:?}");
    }

    #[test]
    fn the_learning_rate_falls_twice() {
        let rates = [0, 19, 20, 24, 25, 29].map(|epoch| learning_rate(1.0, epoch, 30));
        assert_eq!(rates, [1.0, 1.0, 0.1, 0.1, 0.01, 0.01]);
    }
}
