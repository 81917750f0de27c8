//! Every document as it was when somebody last looked at it. `BLESS=1` writes them anew: look at the difference before it is kept.

use std::path::PathBuf;

use mpac_deploy_aws::infra::{cloudformation, stack_policy, terraform};

use crate::described::{full, minimal};

fn compare(name: &str, made: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/infra/golden").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let same = made.lines().zip(kept.lines()).take_while(|(made, kept)| made == kept).count();
    assert!(
        made == kept,
        "{name} differs, first in line {}; `BLESS=1 cargo test -p mpac-deploy-aws --features infra` writes it anew",
        same + 1
    );
}

#[test]
fn the_documents_are_those_that_were_looked_at() {
    compare("minimal.yaml", &cloudformation(&minimal()).unwrap());
    compare("full.yaml", &cloudformation(&full()).unwrap());
    compare("minimal.tf", &terraform(&minimal()).unwrap());
    compare("full.tf", &terraform(&full()).unwrap());
    compare("stack-policy.json", stack_policy());
}
