//! One call of an operation, by somebody whose signature was verified.

use std::sync::Arc;

use aws::{Exception, Service, cistern, ecr, exception::CommonException, json, sigv4};
use http::request::Parts;
use metadata::{RegistryId, Timestamp};
use registry::{Caller, Registry};
use serde::de::DeserializeOwned;

use super::{
    doors::{self, Doors, Exchange},
    error::Failure,
    signed_headers, validate,
};
use crate::auth::Login;

/// An operation that takes `registryId`.
pub(super) enum OwnOperation {
    Ecr(ecr::Operation),
    Cistern(cistern::Operation),
}

impl From<ecr::Operation> for OwnOperation {
    fn from(operation: ecr::Operation) -> Self {
        Self::Ecr(operation)
    }
}

impl From<cistern::Operation> for OwnOperation {
    fn from(operation: cistern::Operation) -> Self {
        Self::Cistern(operation)
    }
}

impl OwnOperation {
    /// Its IAM name.
    fn action(&self) -> String {
        match self {
            Self::Ecr(operation) => format!("ecr:{operation}"),
            Self::Cistern(operation) => format!("cistern:{operation}"),
        }
    }
}

/// A verified call.
pub(super) struct Call<'a> {
    pub(super) doors: &'a Doors,
    pub(super) head: &'a Parts,
    body: &'a [u8],
    login: Arc<Login>,
    tls: bool,
}

impl<'a> Call<'a> {
    /// Verifies that whoever sends `body` signed it for the service that signs as `signing_name`.
    ///
    /// # Errors
    /// AWS's own refusal.
    pub(super) async fn verify(
        doors: &'a Doors,
        head: &'a Parts,
        body: &'a [u8],
        signing_name: &'static str,
        exchange: &mut Exchange,
    ) -> Result<Self, Failure> {
        exchange.service = Some(signing_name);
        let headers = signed_headers(head);
        let request = sigv4::Request {
            method: head.method.as_str(),
            path: head.uri.path(),
            query: head.uri.query().unwrap_or_default(),
            headers: &headers,
            body,
        };
        let now = doors.registry.clock().now();
        let login = Arc::new(doors.authenticator.verify(&request, signing_name, now)?);
        let login = match doors.registry.enrol(&login.caller).await {
            Ok(Some(caller)) => login.of(caller),
            // Its role is gone, and the session with it.
            Ok(None) => return Err(Exception::from(CommonException::UnrecognizedClient).into()),
            Err(error) => {
                let exception = Exception::from(CommonException::InternalFailure);
                return Err(Failure::from(exception).with_cause(error));
            }
        };
        exchange.login = Some(Arc::clone(&login));
        Ok(Self { doors, head, body, login, tls: exchange.connection.tls })
    }

    /// The registry's decisions.
    pub(super) fn registry(&self) -> &Registry {
        &self.doors.registry
    }

    /// Who asks, and which registry.
    pub(super) fn caller(&self) -> &Caller {
        &self.login.caller
    }

    /// The registry that is asked.
    pub(super) fn registry_id(&self) -> &RegistryId {
        &self.login.caller.registry
    }

    /// The current moment.
    pub(super) fn now(&self) -> Timestamp {
        self.doors.registry.clock().now()
    }

    /// Reads the body into a shape of ECR.
    pub(super) fn ecr<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        self.parse(Service::Ecr)
    }

    /// Reads the body into a shape of Secrets Manager.
    pub(super) fn secrets_manager<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        self.parse(Service::SecretsManager)
    }

    /// Reads the body into a shape of Cloud Control.
    pub(super) fn cloud_control<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        self.parse(Service::CloudControl)
    }

    /// Reads the body into a shape of Cistern.
    pub(super) fn cistern<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        self.parse(Service::Cistern)
    }

    fn parse<T: DeserializeOwned>(&self, service: Service) -> Result<T, Failure> {
        json::parse(self.body).map_err(|error| error.to_exception(service).into())
    }

    /// Holds `registryId` against the caller's own account: no policy allows another's.
    ///
    /// # Errors
    /// It is not an account id, or another account's.
    pub(super) fn require_own(
        &self,
        registry_id: Option<&str>,
        operation: impl Into<OwnOperation>,
        resource: &str,
    ) -> Result<(), Exception> {
        let Some(registry_id) = registry_id else { return Ok(()) };
        validate::account("registryId", registry_id)?;
        let RegistryId { account, region } = self.registry_id();
        if registry_id == account.as_str() {
            return Ok(());
        }
        Err(Exception::access_denied(
            &self.caller().principal.to_string(),
            &operation.into().action(),
            &format!("arn:aws:ecr:{region}:{registry_id}:{resource}"),
        ))
    }

    /// The address that clients reach `registry` by, with its scheme.
    pub(super) fn endpoint(&self, registry: &RegistryId) -> String {
        let host = doors::host(self.head).unwrap_or("localhost");
        self.doors.address.endpoint(registry, host, self.tls)
    }
}
