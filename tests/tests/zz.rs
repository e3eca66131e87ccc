use topk_loss::*;
use topk_loss_laws::smoothed::label_among_the_top;
#[test]
fn zz() {
    for (s, y, k, e) in [
        (vec![-1.0, -1.0, 1.0, 1.0], 2, 3, 0.3),
        (vec![-1.0, -1.0, 1.0, 1.0], 2, 3, 0.25),
        (vec![-1.0, -1.0, 1.0, 1.5], 2, 3, 0.3),
        (vec![-1.0, -1.2, 1.0, 1.0], 2, 3, 0.3),
        (vec![-1.0, -1.2, 1.0], 2, 2, 0.3),
        (vec![-1.0, 1.0], 1, 1, 0.3),
    ] {
        let l = TopKCrossEntropy::new(k, Gumbel, e).unwrap();
        let mut g = vec![0.0; s.len()];
        let v = l.value_and_grad(&s, y, &mut g, &mut vec![0.0; 100]).unwrap();
        let (a, b) = label_among_the_top(&s, y, k, Gumbel, e).unwrap();
        println!("{v:e} {a:e} {:e}\n  {g:?}\n  {b:?}", v / a - 1.0);
    }
}
