use topk_loss::*;
use topk_loss_laws::smoothed::smoothed_kth_largest;

fn families(l: usize) -> Vec<(&'static str, Vec<f64>)> {
    let mut z = vec![0.0; l];
    MonteCarlo::new(Normal, 1).unwrap().sample(Key::new(l as u64), 0, &mut z).unwrap();
    vec![
        ("normal", z.clone()),
        ("tied", vec![0.0; l]),
        ("clustered", z.iter().enumerate().map(|(i, z)| (i % 3) as f64 * 3.0 + 0.01 * z).collect()),
        ("separated", (0..l).map(|i| 10.0 * i as f64 / l as f64 + if i % 7 == 0 { 5.0 } else { 0.0 }).collect()),
        ("geometric", (0..l).map(|i| 0.9_f64.powi(i as i32)).collect()),
        ("crowd", (0..l).map(|i| if i < 6 { 5.0 } else { 0.0 }).collect()),
    ]
}

#[test]
fn try_it() {
    let mut worst = 0.0_f64;
    for l in [2, 7, 30, 300] {
        for (name, s) in families(l) {
            for k in [1, 2, 6, 51, l / 2, l - 1, l] {
                if k == 0 || k > l || (l == 1000 && k > 51) {
                    continue;
                }
                for eps in [1e-3, 0.03, 0.3, 1.0, 3.0, 30.0, 1e3] {
                    let (v, g) = smoothed_kth_largest(&s, k, Normal, eps);
                    let ex = Exact::new(KthLargest::new(k).unwrap(), Normal, eps).unwrap();
                    let mut grad = vec![0.0; l];
                    let mut scratch = vec![f64::NAN; Oracle::<f64>::scratch_len(&ex, l)];
                    let value = ex.value_and_add_grad(&s, 1.0, &mut grad, &mut scratch).unwrap();
                    let (bound, bb) = ex.bound(&s, &mut scratch).unwrap();
                    let e: f64 = grad.iter().zip(&g).map(|(a, b)| (a - b).abs()).sum();
                    let ev = (value - v).abs() / eps;
                    let s32: Vec<f32> = s.iter().map(|&x| x as f32).collect();
                    let ex32 = Exact::new(KthLargest::new(k).unwrap(), Normal, eps as f32).unwrap();
                    let mut grad32 = vec![0.0f32; l];
                    let mut scratch32 = vec![f32::NAN; Oracle::<f32>::scratch_len(&ex32, l)];
                    ex32.value_and_add_grad(&s32, 1.0, &mut grad32, &mut scratch32).unwrap();
                    let s3264: Vec<f64> = s32.iter().map(|&x| x as f64).collect();
                    let (_, g32) = smoothed_kth_largest(&s3264, k, Normal, eps as f32 as f64);
                    let (b32, bb32) = ex32.bound(&s32, &mut scratch32).unwrap();
                    let e32: f64 = grad32.iter().zip(&g32).map(|(a, b)| (*a as f64 - b).abs()).sum();
                    worst = worst.max(e);
                    let _ = 0;
                    let flag = if e > bound || e32 > b32 as f64 { "EXCEEDS" } else { "" };
                    if e > 3e-9 || ev > 1e-9 || e32 > 5e-6 || flag != "" || bound > 1e-7 || b32 > 1e-5 {
                        println!(
                            "{name} L{l} k{k} eps{eps}: e {e:.1e} ev {ev:.1e} bound {bound:.1e} (bulk {bb:.1e}) | f32 e {e32:.1e} bound {b32:.1e} ({bb32:.1e}) {flag}"
                        );
                    }
                }
            }
        }
    }
    println!("worst {worst:e}");
}
