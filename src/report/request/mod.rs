//! What was asked for: the flags and settings, understood before anything is opened. A request is what is asked
//! ([`Question`]), what is shown of it ([`View`]), and where that goes ([`Outputs`]).

mod answer;
mod outputs;
mod question;
mod view;

pub use answer::Answer;
pub use outputs::Outputs;
pub use question::Question;
pub use view::View;

use crate::{cli, error::Result, measure::window, moment, stage::Context};

/// A request that can be answered.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Request {
    pub answer: Answer,
    pub question: Question,
    pub view: View,
    pub outputs: Outputs,
}

impl Request {
    /// Understands the flags.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::error::Error::Usage), naming the flag or setting and the remedy.
    pub fn new(args: &cli::Report, context: &Context) -> Result<Self> {
        let (now, now_us) = context.clock.now_with_us();
        let tz = moment::zone(args.tz.as_deref(), &context.settings)?;
        let terminal = args.output.is_none() && context.terminals.stdout;
        let (answer, text) = Answer::of(args, terminal, tz, now)?;
        let question = Question::new(args, context, (now, now_us), tz)?;
        let view = View::new(args, context, &answer, text, terminal)?;
        let day = question.window.and_then(|window| window::single_day(tz, window));
        let outputs = Outputs::new(args, context, day)?;
        Ok(Request { answer, question, view, outputs })
    }
}
