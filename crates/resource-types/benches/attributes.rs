//! How long it takes to find out what a sample says of its resource.
//!
//!     cargo bench -p nephoscope-resource-types --bench attributes

use std::hint::black_box;
use std::time::Instant;

use nephoscope_resource_types::jsonpath::Path;
use nephoscope_resource_types::openstack;
use nephoscope_telemetry::Sample;

/// A sample of `cpu` as Ceilometer's pollster sends it, with 845 bytes of metadata.
const CPU: &str = include_str!("cpu.json");

fn main() {
    let sample = Sample::from_json(CPU).expect("the file is a sample");
    let types = openstack::resource_types();
    measure("owner of a meter", || {
        black_box(types.owner(black_box(&sample.name)));
    });
    measure("owner and attributes of a cpu sample", || {
        let owner = types.owner(black_box(&sample.name)).expect("cpu is a meter of OpenStack");
        black_box(owner.attributes(black_box(&sample)));
    });
    for path in ["flavor.id", "(none)|(flavor.id)|name", "instance_type.`split(., 0, 1)`", "$.vcpus * 100"] {
        let path: Path = path.parse().expect("it is a path");
        measure(&format!("first of {path}"), || {
            black_box(path.first(black_box(sample.metadata.as_str())));
        });
    }
    measure("reading the built-in definitions", || {
        black_box(openstack::definitions());
    });
}

/// The best of many rounds, each short enough to pass undisturbed now and then: what disturbs only adds to it.
fn measure(what: &str, mut run: impl FnMut()) {
    const ROUNDS: u32 = 2000;
    let mut times = 1;
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        loop {
            let start = Instant::now();
            (0..times).for_each(|_| run());
            let taken = start.elapsed().as_secs_f64();
            if taken > 0.000_1 {
                best = best.min(taken / f64::from(times));
                break;
            }
            times *= 2;
        }
    }
    #[expect(clippy::print_stdout, reason = "that is what it is for")]
    {
        println!("{:>12.0} ns  {what}", best * 1e9);
    }
}
