//! What goes wrong with the calls to the simulated AWS.

use std::str::FromStr;

use mpac_deploy_testkit::aws_sim::{AwsSim, CallFault, Operation, Service};

/// `throttle=0.5@route53`: half of the calls; `cut-after@ChangeResourceRecordSets`: the first one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Planned {
    fault: CallFault,
    /// Of the calls to a service; one call if there is none.
    share: Option<f64>,
    at: Place,
}

#[derive(Clone, Debug, PartialEq)]
enum Place {
    Service(Service),
    Call(Operation),
}

const SERVICES: [(&str, Service); 5] = [
    ("route53", Service::Route53),
    ("ecs", Service::Ecs),
    ("elb", Service::ElasticLoadBalancing),
    ("cloudwatch", Service::CloudWatch),
    ("dynamodb", Service::DynamoDb),
];

/// So many calls that their share is what was asked for, as near as it can be seen.
const CALLS: u32 = 10_000;

impl Planned {
    pub(super) fn apply(&self, aws: &AwsSim, seed: u64) {
        let one = std::slice::from_ref(&self.fault);
        match (&self.at, self.share) {
            (Place::Service(service), share) => aws.strike_service(*service, share.unwrap_or(1.0), one, seed),
            (Place::Call(call), None) => aws.script(*call, [self.fault.clone()]),
            (Place::Call(call), Some(share)) => aws.script(*call, self.spread(share)),
        }
    }

    /// Every so manieth call, beginning with the first.
    fn spread(&self, share: f64) -> impl Iterator<Item = CallFault> + '_ {
        (0..CALLS).map(move |call| {
            let struck = |calls: u32| (f64::from(calls) * share).ceil();
            if struck(call + 1) > struck(call) { self.fault.clone() } else { CallFault::Pass }
        })
    }
}

impl FromStr for Planned {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (what, place) =
            text.split_once('@').ok_or_else(|| format!("`{text}` names no place: write WHAT@WHERE"))?;
        let (what, share) = match what.split_once('=') {
            None => (what, None),
            Some((what, share)) => {
                let share: Option<f64> = share.parse().ok().filter(|share| (0.0..=1.0).contains(share));
                (what, Some(share.ok_or_else(|| format!("`{text}`: a share is a number from 0 to 1"))?))
            }
        };
        let fault = match what {
            "throttle" => CallFault::Throttle,
            "server-error" => CallFault::ServerError,
            "cut-before" => CallFault::CutBefore,
            "cut-after" => CallFault::CutAfter,
            "access-denied" => CallFault::access_denied(),
            other => {
                return Err(format!(
                    "`{other}` is no fault: write throttle, server-error, cut-before, cut-after or access-denied"
                ));
            }
        };
        let service =
            SERVICES.iter().find(|(name, _)| *name == place).map(|(_, service)| Place::Service(*service));
        let call = || Operation::ALL.iter().find(|call| call.name() == place).map(|call| Place::Call(*call));
        let at = service.or_else(call).ok_or_else(|| {
            format!("`{place}` is no service (route53, ecs, elb, cloudwatch, dynamodb) and no call that the simulated AWS knows")
        })?;
        if share.is_none() && matches!(at, Place::Service(_)) {
            return Err(format!(
                "`{text}`: say which share of the calls to {place}, as in `{what}=0.5@{place}`"
            ));
        }
        Ok(Self { fault, share, at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_read_with_its_share_and_its_place() {
        let planned: Planned = "throttle=0.5@route53".parse().unwrap();
        assert_eq!(
            planned,
            Planned { fault: CallFault::Throttle, share: Some(0.5), at: Place::Service(Service::Route53) }
        );
        let planned: Planned = "cut-after@ChangeResourceRecordSets".parse().unwrap();
        assert_eq!((planned.share, planned.at), (None, Place::Call(Operation::ChangeResourceRecordSets)));
        for (wrong, why) in [
            ("throttle", "names no place"),
            ("throttle=2@route53", "a share is a number from 0 to 1"),
            ("melt=0.5@route53", "`melt` is no fault"),
            ("throttle=0.5@lambda", "`lambda` is no service"),
            ("throttle@route53", "say which share"),
        ] {
            let error = wrong.parse::<Planned>().unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_share_of_a_call_is_spread_evenly() {
        let planned =
            Planned { fault: CallFault::Throttle, share: None, at: Place::Call(Operation::GetChange) };
        let struck = |share, first| {
            planned.spread(share).take(first).filter(|fault| *fault == CallFault::Throttle).count()
        };
        assert_eq!((struck(0.5, 10), struck(0.2, 10), struck(1.0, 10), struck(0.0, 10)), (5, 2, 10, 0));
    }
}
