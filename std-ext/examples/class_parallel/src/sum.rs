//! Sums over all MPI processes.

use core::convert::Infallible;
use core::mem;

use mpi::collective::SystemOperation;
use mpi::topology::SimpleCommunicator;
use mpi::traits::CommunicatorCollectives;
use topk_loss::sharded::AllReduce;

use crate::work;

/// By MPI, which ends all processes where one is lost.
pub struct Mpi<'w> {
    world: &'w SimpleCommunicator,
    room: Vec<f32>,
    traffic: Traffic,
}

/// What was summed.
#[derive(Default)]
pub struct Traffic {
    pub sums: usize,
    /// The sizes of the messages that this process gave.
    pub bytes: usize,
    /// The work of summing, and of waiting for the others.
    pub seconds: f64,
}

impl<'w> Mpi<'w> {
    pub fn new(world: &'w SimpleCommunicator) -> Self {
        Self { world, room: vec![], traffic: Traffic::default() }
    }

    /// What was summed since the last time.
    pub fn take_traffic(&mut self) -> Traffic {
        mem::take(&mut self.traffic)
    }
}

impl AllReduce<f32> for Mpi<'_> {
    type Error = Infallible;

    fn all_reduce_sum(&mut self, values: &mut [f32]) -> Result<(), Infallible> {
        let start = work::seconds();
        self.room.clear();
        self.room.extend_from_slice(values);
        self.world.all_reduce_into(&self.room[..], values, SystemOperation::sum());
        self.traffic.sums += 1;
        self.traffic.bytes += size_of_val(values);
        self.traffic.seconds += work::seconds() - start;
        Ok(())
    }
}

/// One process is its own sum.
pub struct Alone;

impl AllReduce<f32> for Alone {
    type Error = Infallible;

    fn all_reduce_sum(&mut self, _: &mut [f32]) -> Result<(), Infallible> {
        Ok(())
    }
}
