//! Requests and answers as they go over the wire.
//!
//! The types of the SDK hold what the SDK knew when it was built. What is copied from one call to another goes past them, so that
//! nothing is lost that AWS has added since.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::{Map, Value};

use super::xml;
use crate::CallError;

/// Listens to one call. Clones belong to the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct Wire {
    sent: Option<String>,
    got: Arc<Mutex<Vec<u8>>>,
}

impl Wire {
    /// Keeps the answer.
    pub(super) fn listen() -> Self {
        Self::default()
    }

    /// Sends this as the request, and keeps the answer.
    pub(super) fn send(request: &Map<String, Value>) -> Self {
        Self { sent: Some(Value::Object(request.clone()).to_string()), got: Arc::default() }
    }

    /// The answer, if it was JSON.
    pub(super) fn json(&self, call: &'static str) -> Result<Value, CallError> {
        serde_json::from_slice(&self.bytes()).map_err(|error| unreadable(call, &error))
    }

    /// The result in the answer, if it was XML.
    pub(super) fn xml(&self, call: &'static str) -> Result<Value, CallError> {
        xml::read(&self.bytes()).map_err(|error| unreadable(call, &error))
    }

    fn bytes(&self) -> Vec<u8> {
        self.got.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn unreadable(call: &'static str, error: &dyn std::fmt::Display) -> CallError {
    CallError::NoAnswer { call, message: format!("the answer cannot be read: {error}") }
}

impl Intercept for Wire {
    fn name(&self) -> &'static str {
        "mpac-deploy wire"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(sent) = &self.sent {
            let request = context.request_mut();
            request.headers_mut().insert("content-length", sent.len().to_string());
            *request.body_mut() = SdkBody::from(sent.as_str());
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(bytes) = context.response().body().bytes() {
            *self.got.lock().unwrap_or_else(PoisonError::into_inner) = bytes.to_vec();
        }
        Ok(())
    }
}
