//! The daemon's own store, while no daemon gives it out.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use anyhow::{Context, bail};
use nephoscope_dispatchers::Examined;
use nephoscope_gnocchi::{ArchivePolicy, Creator, Gnocchi};
use nephoscope_store::{Options, Store};
use tokio::sync::OnceCell;

use super::finding::Finding;
use super::places::failed;
use crate::config::Config;
use crate::{metrics, store};

/// Opened only to look something up, which takes time after a crash, and once.
#[derive(Debug)]
pub(super) struct OwnStore {
    config: Arc<Config>,
    policies: OnceCell<Vec<ArchivePolicy>>,
}

impl OwnStore {
    pub(super) fn new(config: Arc<Config>) -> Self {
        Self { config, policies: OnceCell::new() }
    }

    /// Whether it has what a dispatcher into it has to find there.
    pub(super) async fn look(&self, subject: &str, examined: &Examined) -> Vec<Finding> {
        let mut findings = vec![Finding::ok(subject, "is the daemon's own store")];
        if examined.expects_policies() {
            findings.extend(match self.policies.get_or_try_init(|| policies(&self.config)).await {
                Ok(there) => examined.check_policies_among(there).err().map(|error| failed(subject, &error)),
                Err(error) => {
                    let told =
                        format!("whether it has the archive policies of all metrics is not known: {error:#}");
                    Some(Finding::warning(subject, told, "see what the daemon tells in its log"))
                }
            });
        }
        findings
    }
}

/// The archive policies that a daemon would find at its start.
async fn policies(config: &Config) -> anyhow::Result<Vec<ArchivePolicy>> {
    let path = metrics::place(&config.data_dir.value);
    let (mut policies, mut rules) = (Vec::new(), Vec::new());
    if Store::is_in(&path) {
        let metadata = fs::metadata(&path).with_context(|| format!("{}", path.display()))?;
        // The engine makes files as it is opened, which the daemon could not write to.
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            bail!("{} is another user's, as whom this is to be run", path.display());
        }
        // By default nothing that ended is thrown away.
        let store = metrics::open_at(path, Options::default()).await?;
        let gnocchi = store.as_user(Creator::default());
        let looked = async { Ok((gnocchi.archive_policies().await?, gnocchi.archive_policy_rules().await?)) };
        let looked: nephoscope_gnocchi::Result<_> = looked.await;
        drop(gnocchi);
        store::close(store).await?;
        (policies, rules) = looked?;
    }
    let is_new = policies.is_empty() && rules.is_empty();
    if is_new && config.store.default_archive_policies.value {
        policies.extend(metrics::default_policies());
    }
    Ok(policies)
}
