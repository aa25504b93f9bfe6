//! Any line of statsd is a sample or an error, and one that is written again is the same sample.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope_gnocchi::StatsdSample;

fuzz_target!(|line: &str| {
    if let Ok(sample) = StatsdSample::read(line) {
        let (name, kind) = sample.metric.rsplit_once('|').expect("the type stands behind the name");
        let again = StatsdSample::read(&format!("{name}:{}|{kind}", sample.value)).expect("it is what we wrote");
        assert_eq!((again.metric, again.kind), (sample.metric, sample.kind));
        assert_eq!(again.value.to_bits(), sample.value.to_bits());
    }
});
