//! What arrived in a Gnocchi.

use nephoscope_gnocchi::{AggregationMethod, Function, Gnocchi, Range, Resource, ResourceSelection};

use super::Arrived;

const WHOLE: Range = Range {
    start: None,
    stop: None,
    aggregation: AggregationMethod { rate: false, function: Function::Mean },
    granularity: None,
    resample: None,
};

/// All measures of all metrics of all resources, as means of the only granularity that their archive policy has.
pub async fn in_gnocchi(gnocchi: &dyn Gnocchi) -> Vec<Arrived> {
    let all = gnocchi.resources("generic", &ResourceSelection::default()).await;
    let mut arrived = Vec::new();
    for resource in all.expect("resources can be listed") {
        for (meter, metric) in &resource.metrics {
            let points = gnocchi.measures(*metric, &WHOLE).await.expect("measures can be read");
            let points = points.into_iter().map(|point| (point.timestamp.as_nanos(), point.value));
            arrived.extend(points.map(|point| of_point(&resource, meter, point)));
        }
    }
    arrived
}

fn of_point(resource: &Resource, meter: &str, (nanos, value): (i64, f64)) -> Arrived {
    Arrived {
        meter: meter.into(),
        resource_id: resource.original_resource_id.clone(),
        project_id: resource.project_id.clone(),
        user_id: resource.user_id.clone(),
        millis: nanos.div_euclid(1_000_000),
        value,
    }
}
