//! Trains a linear head of many classes on MPI processes: the classes spread over them, and beside it the examples, with the same losses.
//!
//! `mpirun -n 4 class_parallel --classes 100000 --features 32 --batch 32 --steps 10`; the README has the figures and what they are.

mod arguments;
mod head;
mod sum;
mod training;
mod work;

use mpi::collective::SystemOperation;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};
use topk_loss::loss::PolyhedralHinge;
use topk_loss::sharded::{Shard, ShardedLoss};
use topk_loss::{CrossEntropy, Loss, TopKHinge};

use crate::arguments::Arguments;
use crate::sum::{Alone, Mpi, Traffic};
use crate::training::{Task, Trained};

type Failed = Box<dyn core::error::Error>;

/// By how much a weight or a loss may differ from one process's.
const TOLERANCE: f32 = 1e-6;

fn main() -> Result<(), Failed> {
    let arguments = Arguments::from_command_line()?;
    let universe = mpi::initialize().ok_or("MPI does not start")?;
    let world = universe.world();
    let task = Task::new(&arguments)?;
    let show = Show { world: &world, is_first: world.rank() == 0, task: &task, check: arguments.check };
    show.line(&format!("{} processes, {arguments}", world.size()));
    show.line("loss          | spread are | step, ms | work, ms | rounds | bytes a row | off by");
    let near = [
        show.both("exact, ε = 1", &TopKHinge::smoothed(5, 1.0)?)?,
        show.both("polyhedral", &PolyhedralHinge::new(5)?)?,
        show.both("cross-entropy", &CrossEntropy)?,
    ];
    if near.contains(&false) { Err("not the training of one process".into()) } else { Ok(()) }
}

/// Runs trainings, and lets the first process tell of them.
struct Show<'a> {
    world: &'a SimpleCommunicator,
    is_first: bool,
    task: &'a Task,
    check: bool,
}

impl Show<'_> {
    fn line(&self, line: &str) {
        if self.is_first {
            println!("{line}");
        }
    }

    /// Over classes and over examples; whether both are the training of one process.
    fn both<L: ShardedLoss<f32> + Loss<f32> + Clone>(&self, name: &str, loss: &L) -> Result<bool, Failed> {
        let (index, count) = (self.world.rank() as usize, self.world.size() as usize);
        let mut sums = Mpi::new(self.world);
        let shard = Shard::even(index, count, self.task.num_classes())?;
        self.world.barrier();
        let over_classes = self.task.over_classes(loss, shard.clone(), &mut sums)?;
        let traffic_of_classes = sums.take_traffic();
        self.world.barrier();
        let over_examples = self.task.over_examples(loss, index, count, &mut sums)?;
        let traffic_of_examples = sums.take_traffic();

        let off = if self.check {
            let one = self.task.over_classes(loss, Shard::even(0, 1, self.task.num_classes())?, &mut Alone)?;
            let own = self.task.weights_of(&one.weights, shard.classes());
            [over_classes.distance(&one.losses, own), over_examples.distance(&one.losses, &one.weights)].map(|off| self.largest(off))
        } else {
            [f32::NAN; 2]
        };
        self.training(name, "classes", &over_classes, &traffic_of_classes, off[0]);
        self.training(name, "examples", &over_examples, &traffic_of_examples, off[1]);
        Ok(!self.check || off.iter().all(|&off| off <= TOLERANCE))
    }

    fn largest(&self, mine: f32) -> f32 {
        let mut largest = 0.0;
        self.world.all_reduce_into(&mine, &mut largest, SystemOperation::max());
        largest
    }

    fn training(&self, name: &str, spread: &str, trained: &Trained, traffic: &Traffic, off: f32) {
        let (steps, batch) = (self.task.steps() as f64, self.task.batch() as f64);
        let step = 1e3 * trained.step.as_secs_f64();
        let work = 1e3 * self.largest((trained.seconds - traffic.seconds) as f32) / self.task.steps() as f32;
        let (rounds, bytes) = (traffic.sums as f64 / steps, traffic.bytes as f64 / (steps * batch));
        self.line(&format!("{name:13} | {spread:10} | {step:8.1} | {work:8.1} | {rounds:6.1} | {bytes:11.0} | {off:.1e}"));
    }
}
