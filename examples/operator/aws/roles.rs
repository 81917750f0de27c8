//! Which environment is to be replaced: the one that has all the traffic.

use mpac_deploy_core::effect::ObservedWeights;

use super::Account;
use super::call::Unread;
use crate::config::{Colour, Roles};
use crate::reply::Failure;

impl Account {
    /// The roles for a new rollout, by the weights as they are.
    pub(crate) async fn roles(&self) -> Result<Roles, Failure> {
        let weights = self.weights().await?;
        roles(weights).ok_or_else(|| Failure::Found(self.nobody_serves_all(weights)))
    }

    /// The weights of the two environments by their colours, whatever they play.
    pub(crate) async fn weights(&self) -> Result<ObservedWeights, Unread> {
        let by_colour = Roles { serving: Colour::Blue };
        let (traffic, record) = (self.traffic(by_colour).await?, self.config.record());
        self.patiently(async || Ok(traffic.read(&record).await?)).await
    }

    pub(crate) fn nobody_serves_all(&self, weights: ObservedWeights) -> String {
        format!(
            "{} shows {weights}: a rollout begins only where one environment has all the traffic, and nothing unfinished in this \
             journal says who is to be replaced. Set one weight to 0 (both 0 is an equal split), or name the journal of the \
             rollout that is under way",
            self.config.record()
        )
    }
}

/// The roles that these weights give, if one environment has all of them.
pub(crate) fn roles(weights: ObservedWeights) -> Option<Roles> {
    match (weights.blue, weights.green) {
        (1.., 0) => Some(Roles { serving: Colour::Blue }),
        (0, 1..) => Some(Roles { serving: Colour::Green }),
        (0, 0) | (1.., 1..) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mpac_deploy_core::metric::Side;

    #[test]
    fn who_has_all_the_traffic_is_to_be_replaced() {
        let of = |blue, green| roles(ObservedWeights { blue, green });
        assert_eq!(of(100, 0).unwrap().of(Side::Green), Colour::Green);
        assert_eq!(of(0, 1).unwrap().of(Side::Green), Colour::Blue);
        assert_eq!((of(0, 0), of(95, 5)), (None, None));
    }

    #[test]
    fn a_release_remembers_its_roles() {
        for serving in Colour::ALL {
            let roles = Roles { serving };
            assert_eq!(Roles::remembered(Some(&roles.environments())), Some(roles));
        }
    }
}
