//! The application: routes with what surrounds them.

use actix_web::{
    App, Error,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    middleware::from_fn,
    web::{self, Data},
};
use tracing_actix_web::TracingLogger;
use utoipa::{OpenApi as _, openapi::OpenApi};
use utoipa_actix_web::AppExt;

use crate::{
    http::{Span, Table, log_access, no_route, secure},
    routes::{Description, configure},
    state::Gateway,
};

/// The API's description, collected from the routes.
pub(crate) fn description() -> OpenApi {
    App::new()
        .into_utoipa_app()
        .openapi(Description::openapi())
        .configure(configure)
        .split_for_parts()
        .1
}

/// The application of one worker.
pub(crate) fn app(
    gateway: Data<Gateway>,
    api: Data<OpenApi>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let table = Data::new(Table::of(&api));
    App::new()
        .into_utoipa_app()
        .configure(configure)
        .into_app()
        .app_data(gateway)
        .app_data(api)
        .app_data(table)
        .default_service(web::to(no_route))
        .wrap(from_fn(secure))
        .wrap(from_fn(log_access))
        .wrap(TracingLogger::<Span>::new())
}
