//! The service inside, ready or not.

use std::future::poll_fn;

use http::{Request, Response};
use httplib2_core::{error::BoxError, send::HttpService};

/// A service, and whether it was polled ready since it was called.
pub(crate) struct Line<S> {
    service: S,
    is_ready: bool,
}

// === impl Line ===

impl<S> Line<S> {
    pub(crate) fn ready(service: S) -> Self {
        Self { service, is_ready: true }
    }

    /// Gives back what was readied: nothing is held of the service while the request waits for something else.
    pub(crate) fn release(&mut self)
    where
        S: Clone,
    {
        if self.is_ready {
            self.service = self.service.clone();
            self.is_ready = false;
        }
    }

    /// Sends, when the service is ready.
    pub(crate) async fn send<B>(&mut self, request: Request<B>) -> Result<Response<S::ResponseBody>, BoxError>
    where
        S: HttpService<B>,
    {
        if !self.is_ready {
            poll_fn(|cx| self.service.poll_ready(cx)).await.map_err(Into::into)?;
        }
        self.is_ready = false;
        self.service.call(request).await.map_err(Into::into)
    }
}
