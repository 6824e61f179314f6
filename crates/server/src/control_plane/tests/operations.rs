//! Every operation of every service, and how it is called: what the tests of all operations walk.

use aws::{
    Service, cistern, cloud_control, ecr,
    exception::{
        CloudControlException, CommonException, EcrException, IamException, SecretsManagerException,
    },
    iam,
    query::QueryService,
    secrets_manager, sts,
};

use crate::doors::tests::{Answer, Signed};

/// One operation, and how it is called.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) protocol: Protocol,
    pub(super) name: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Protocol {
    Json(Service),
    Query(QueryService),
}

/// Every operation of every service that is known, offered or not, and one that nobody knows.
pub(super) fn operations() -> Vec<Operation> {
    let mut operations = Vec::new();
    for service in Service::ALL {
        // A new service has to say here what it can do.
        let names: Vec<_> = match service {
            Service::Ecr => ecr::Operation::ALL.iter().map(|of| of.name()).collect(),
            Service::SecretsManager => {
                secrets_manager::Operation::ALL.iter().map(|of| of.name()).collect()
            }
            Service::CloudControl => {
                cloud_control::Operation::ALL.iter().map(|of| of.name()).collect()
            }
            Service::Cistern => cistern::Operation::ALL.iter().map(|of| of.name()).collect(),
        };
        let protocol = Protocol::Json(service);
        let unknown = std::iter::once("MakeCoffee");
        operations
            .extend(names.into_iter().chain(unknown).map(|name| Operation { protocol, name }));
    }
    for service in QueryService::ALL {
        let names: Vec<_> = match service {
            QueryService::Sts => sts::Operation::ALL.iter().map(|of| of.name()).collect(),
            QueryService::Iam => iam::Operation::ALL.iter().map(|of| of.name()).collect(),
        };
        let protocol = Protocol::Query(service);
        let unknown = std::iter::once("MakeCoffee");
        operations
            .extend(names.into_iter().chain(unknown).map(|name| Operation { protocol, name }));
    }
    operations
}

impl Operation {
    /// The signed request with this body; a form gets it after its action.
    pub(super) fn request(&self, body: &[u8]) -> Signed {
        match self.protocol {
            Protocol::Json(service) => {
                let target = format!("{}.{}", service.target_prefix(), self.name);
                let mut call = Signed::new(&target, service.signing_name(), body);
                call.content_type = service.content_type();
                call
            }
            Protocol::Query(service) => {
                let start = format!("Action={}&Version={}&", self.name, service.version());
                let mut form = start.into_bytes();
                form.extend_from_slice(body);
                let mut call = Signed::new("", service.signing_name(), form);
                call.target = None;
                call.content_type = "application/x-www-form-urlencoded; charset=utf-8";
                call
            }
        }
    }

    /// The module of `aws` that has its shapes.
    pub(super) fn module(&self) -> &'static str {
        match self.protocol {
            Protocol::Json(Service::Ecr) => "ecr",
            Protocol::Json(Service::SecretsManager) => "secrets_manager",
            Protocol::Json(Service::CloudControl) => "cloud_control",
            Protocol::Json(Service::Cistern) => "cistern",
            Protocol::Query(service) => service.signing_name(),
        }
    }

    /// The name that its requests are signed for.
    pub(super) fn signing_name(&self) -> &'static str {
        match self.protocol {
            Protocol::Json(service) => service.signing_name(),
            Protocol::Query(service) => service.signing_name(),
        }
    }

    /// Whether an exception is one that this service has.
    pub(super) fn has(&self, exception: &str) -> bool {
        let name = exception.rsplit('#').next().unwrap_or_default();
        let common = CommonException::ALL.iter().any(|kind| match self.protocol {
            Protocol::Json(_) => kind.name() == name,
            Protocol::Query(..) => kind.query_error().code == name,
        });
        common
            || match self.protocol {
                // Cistern speaks with ECR's exceptions.
                Protocol::Json(Service::Ecr | Service::Cistern) => {
                    EcrException::ALL.iter().any(|of| of.name() == name)
                }
                Protocol::Json(Service::SecretsManager) => {
                    SecretsManagerException::ALL.iter().any(|of| of.name() == name)
                }
                Protocol::Json(Service::CloudControl) => {
                    CloudControlException::ALL.iter().any(|of| of.name() == name)
                }
                Protocol::Query(QueryService::Iam) => {
                    IamException::ALL.iter().any(|of| of.name() == name)
                }
                Protocol::Query(QueryService::Sts) => false,
            }
    }

    /// The exception of a refusal, as the client reads it.
    pub(super) fn exception(&self, answer: &Answer) -> String {
        match self.protocol {
            Protocol::Json(_) => answer.exception(),
            Protocol::Query(..) => {
                let text = answer.text();
                let code = text.split("<Code>").nth(1).and_then(|rest| rest.split('<').next());
                code.unwrap_or_default().to_owned()
            }
        }
    }
}
