-- Nothing is to be changed here: the view judged_job comes with sql/. It lies under open_job, and so is what the
-- rollback has to drop first.
do $$ begin end $$;
