alter table arcano.beating_claim drop column if exists fell_silent_at, drop column if exists end_refused_at, drop column if exists put_back_refused_at;
drop sequence if exists arcano.refund_in_hand;
