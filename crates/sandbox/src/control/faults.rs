//! `/control/faults`: what goes wrong from now on.

use actix_web::{HttpResponse, web};

use super::{FaultPlan, refusal};
use crate::authority::Authority;

pub(super) async fn get(authority: web::Data<Authority>) -> HttpResponse {
    HttpResponse::Ok().json(authority.faults.plan())
}

pub(super) async fn post(
    authority: web::Data<Authority>,
    plan: web::Json<FaultPlan>,
) -> HttpResponse {
    let mut plan = plan.into_inner();
    if plan
        .authority
        .status
        .is_some_and(|status| !(200..=599).contains(&status))
    {
        return refusal("authority.status: a number from 200 to 599");
    }
    if let Some(problem) = plan.smtp.problem().or_else(|| plan.pop3.problem()) {
        return refusal(problem);
    }
    if let Err(problem) = plan.imap.complete() {
        return refusal(&problem);
    }
    if plan
        .authority
        .error
        .is_some_and(|code| !crate::authority::knows(code))
    {
        return refusal("authority.error: an AADSTS number that the sandbox knows, such as 90033");
    }
    authority.faults.set(plan);
    HttpResponse::Ok().json(authority.faults.plan())
}
